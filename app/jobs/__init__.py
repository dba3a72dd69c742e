"""Long work: it runs beside the server, tells its progress, can be cancelled, and keeps its result."""
