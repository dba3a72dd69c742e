ALTER TABLE offer
    ADD COLUMN talk_ended_by TEXT,
    ADD COLUMN talk_end_reason TEXT,
    ADD COLUMN was_held BOOLEAN DEFAULT 'false' NOT NULL;

-- The owner sees all tenants' rows while this migration alone has the tables.
ALTER TABLE offer NO FORCE ROW LEVEL SECURITY;

ALTER TABLE segment NO FORCE ROW LEVEL SECURITY;

UPDATE offer SET talk_ended_by = part.ended_by, talk_end_reason = part.end_reason,
    was_held = part.kind IN ('hold', 'consult')
FROM segment AS part
WHERE part.ended_by IS NOT NULL AND part.kind <> 'wrap_up' AND offer.outcome IN ('answered', 'taken')
    AND part.tenant_id = offer.tenant_id AND part.day = offer.day
    AND part.interaction_id = offer.interaction_id AND part.track = offer.agent_id || '#' || offer.attempt;

ALTER TABLE offer FORCE ROW LEVEL SECURITY;

ALTER TABLE segment FORCE ROW LEVEL SECURITY;
