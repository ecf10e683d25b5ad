"""The channel courier: media that are written, sealed, sent, received, and what goes wrong on the way."""
