-- Tens of thousands a day, each of which would be looked up.
ALTER TABLE rollup_cell DROP CONSTRAINT fk_rollup_cell_tenant_id;
