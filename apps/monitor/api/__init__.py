"""The platform over HTTP, for programs: one FastAPI application beside the admin, for the same people."""
