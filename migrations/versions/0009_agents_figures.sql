-- A span knows the queue of its contact, and is found by when it ended: an agent may be ready for days.
ALTER TABLE agent_span ADD COLUMN queue_id TEXT;

CREATE INDEX ix_agent_span_tenant_id_ended_at ON agent_span (tenant_id, ended_at);
