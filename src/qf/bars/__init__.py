"""Bar rules: one file each, trades in, the word that closes a bar out."""
