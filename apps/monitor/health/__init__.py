"""How every part of the platform does, and how well it has kept its promises."""
