"""Ways out of the platform: Discord, Telegram, e-mail and webhooks, each told through Apprise."""
