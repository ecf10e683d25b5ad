"""That a release was published, corrected or withdrawn, told to every customer whom it concerns."""
