"""The channel e-mail: letters with a link or a file, what comes of the link, and what comes back."""
