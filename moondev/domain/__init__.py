"""The pure vocabulary of the platform: no Django, no input or output, no imports of ours."""
