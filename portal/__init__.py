"""The release portal: contract, release, delivery and ticket in one chain."""
