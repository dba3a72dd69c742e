-- Teams, sites and employers leave as agents do: the log names them. An agent has a site and an employer now,
-- and what all three were stands in agent_membership, which so far nobody wrote.
ALTER TABLE team ADD COLUMN retired_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE site ADD COLUMN retired_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE employer ADD COLUMN retired_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE agent ADD COLUMN site_id TEXT, ADD COLUMN employer_id TEXT,
    ADD CONSTRAINT fk_agent_tenant_id_site_id FOREIGN KEY(tenant_id, site_id) REFERENCES site (tenant_id, site_id),
    ADD CONSTRAINT fk_agent_tenant_id_employer_id FOREIGN KEY(tenant_id, employer_id) REFERENCES employer (tenant_id, employer_id);

-- Those who are here are taken to have been in their team since they came. The owner sees every tenant for it.
ALTER TABLE agent NO FORCE ROW LEVEL SECURITY;

ALTER TABLE agent_membership NO FORCE ROW LEVEL SECURITY;

INSERT INTO agent_membership (tenant_id, agent_id, valid_from, team_id)
SELECT tenant_id, agent_id, least(created_at, now())::date, team_id FROM agent
WHERE left_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM agent_membership AS member
    WHERE member.tenant_id = agent.tenant_id AND member.agent_id = agent.agent_id
);

ALTER TABLE agent FORCE ROW LEVEL SECURITY;

ALTER TABLE agent_membership FORCE ROW LEVEL SECURITY;
