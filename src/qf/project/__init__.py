"""The user's files: their structs, loading with file:line:column errors, templates."""
