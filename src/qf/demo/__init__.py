"""The demo: the whole product in one go, offline."""
