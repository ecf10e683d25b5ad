"""Evidence packs: everything that proves one delivery, in an archive that anybody can check."""
