"""PostgreSQL: the provider, the tables, the migrations and the tenant's session."""
