ALTER TABLE queue
    ADD COLUMN queue_timeout_to text,
    ADD COLUMN overflow_after_s double precision,
    ADD COLUMN overflow_to text,
    ADD COLUMN key_exits jsonb NOT NULL DEFAULT '{}';
