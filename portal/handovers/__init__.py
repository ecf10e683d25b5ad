"""The channel hand-over: files given into an authorized person's hands, and the act that both sign."""
