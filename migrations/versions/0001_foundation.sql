-- The foundation. A statement ends with a semicolon and an empty line.
-- The role that the app's queries run as: it owns nothing, bypasses nothing. It belongs to the whole server.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'holdless_app') THEN
        CREATE ROLE holdless_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another database of this server made it at the same moment
END $$;

DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'holdless_app', 'MEMBER') THEN
        EXECUTE format('GRANT holdless_app TO %I', current_user);
    END IF;
END $$;

DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO holdless_app', current_schema());
END $$;

CREATE TABLE agent_span (
    tenant_id TEXT NOT NULL,
    day DATE NOT NULL,
    agent_id TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    state TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    interaction_id TEXT,
    grade TEXT DEFAULT 'live' NOT NULL,
    CONSTRAINT pk_agent_span PRIMARY KEY (tenant_id, day, agent_id, started_at)
) PARTITION BY RANGE (day);

CREATE INDEX ix_agent_span_tenant_id_agent_id_ended_at ON agent_span (tenant_id, agent_id, ended_at);

CREATE TABLE contact_attempt (
    tenant_id TEXT NOT NULL,
    day DATE NOT NULL,
    attempt_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    purpose TEXT NOT NULL,
    medium TEXT DEFAULT 'voice' NOT NULL,
    number_kind TEXT NOT NULL,
    number_normal TEXT NOT NULL,
    party_id UUID,
    interaction_id TEXT,
    requested_by TEXT DEFAULT '' NOT NULL,
    refused_by TEXT DEFAULT '' NOT NULL,
    evidence JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_contact_attempt PRIMARY KEY (tenant_id, day, attempt_id)
) PARTITION BY RANGE (day);

CREATE INDEX ix_contact_attempt_tenant_id_number_normal_at ON contact_attempt (tenant_id, number_normal, at);

CREATE TABLE event (
    tenant_id TEXT NOT NULL,
    day DATE NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    type TEXT NOT NULL,
    v INTEGER NOT NULL,
    interaction_id TEXT,
    agent_id TEXT,
    queue_id TEXT,
    body JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_event PRIMARY KEY (tenant_id, day, epoch, seq, ordinal)
) PARTITION BY RANGE (day);

CREATE INDEX ix_event_pbx_link ON event (tenant_id, epoch, seq) WHERE type = 'PbxLinkChanged';

CREATE INDEX ix_event_tenant_id_at ON event (tenant_id, at);

CREATE INDEX ix_event_tenant_id_interaction_id_day ON event (tenant_id, interaction_id, day);

CREATE TABLE interaction (
    tenant_id TEXT NOT NULL,
    day DATE NOT NULL,
    interaction_id TEXT NOT NULL,
    medium TEXT DEFAULT 'voice' NOT NULL,
    direction TEXT DEFAULT 'in' NOT NULL,
    kind TEXT DEFAULT 'contact' NOT NULL,
    parent_id TEXT,
    entry_point TEXT DEFAULT '' NOT NULL,
    caller_number TEXT DEFAULT '' NOT NULL,
    caller_name TEXT DEFAULT '' NOT NULL,
    attributes JSONB DEFAULT '{}' NOT NULL,
    party_id UUID,
    match_method TEXT,
    match_confidence INTEGER,
    match_candidates JSONB,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT,
    ended_by TEXT,
    end_reason TEXT,
    hangup_cause INTEGER,
    queue_id TEXT,
    agent_id TEXT,
    visit_count INTEGER DEFAULT '0' NOT NULL,
    offer_count INTEGER DEFAULT '0' NOT NULL,
    wait_ms BIGINT DEFAULT '0' NOT NULL,
    talk_ms BIGINT DEFAULT '0' NOT NULL,
    hold_ms BIGINT DEFAULT '0' NOT NULL,
    wrap_up_ms BIGINT DEFAULT '0' NOT NULL,
    wrap_up_code TEXT,
    grade TEXT DEFAULT 'live' NOT NULL,
    CONSTRAINT pk_interaction PRIMARY KEY (tenant_id, day, interaction_id)
) PARTITION BY RANGE (day);

CREATE INDEX ix_interaction_tenant_id_agent_id_started_at ON interaction (tenant_id, agent_id, started_at);

CREATE INDEX ix_interaction_tenant_id_caller_number_started_at ON interaction (tenant_id, caller_number, started_at);

CREATE INDEX ix_interaction_tenant_id_party_id_started_at ON interaction (tenant_id, party_id, started_at);

CREATE INDEX ix_interaction_tenant_id_queue_id_started_at ON interaction (tenant_id, queue_id, started_at);

CREATE INDEX ix_interaction_tenant_id_started_at_interaction_id ON interaction (tenant_id, started_at, interaction_id);

CREATE TABLE interaction_reason (
    tenant_id TEXT NOT NULL,
    day DATE NOT NULL,
    interaction_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    tree_version INTEGER NOT NULL,
    reason_id TEXT NOT NULL,
    set_by TEXT NOT NULL,
    actor TEXT DEFAULT '' NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_interaction_reason PRIMARY KEY (tenant_id, day, interaction_id, ordinal)
) PARTITION BY RANGE (day);

CREATE INDEX ix_interaction_reason_tenant_id_reason_id_at ON interaction_reason (tenant_id, reason_id, at);

CREATE TABLE leg (
    tenant_id TEXT NOT NULL,
    day DATE NOT NULL,
    pbx_id TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    leg_id TEXT NOT NULL,
    interaction_id TEXT NOT NULL,
    party TEXT NOT NULL,
    agent_id TEXT,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    hangup_cause INTEGER,
    CONSTRAINT pk_leg PRIMARY KEY (tenant_id, day, pbx_id, boot_id, leg_id)
) PARTITION BY RANGE (day);

CREATE INDEX ix_leg_tenant_id_interaction_id_day ON leg (tenant_id, interaction_id, day);

CREATE TABLE offer (
    tenant_id TEXT NOT NULL,
    day DATE NOT NULL,
    interaction_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    queue_id TEXT,
    visit INTEGER,
    offered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    rang_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT,
    outcome_reason TEXT,
    wait_ms BIGINT DEFAULT '0' NOT NULL,
    rang_ms BIGINT,
    explanation JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_offer PRIMARY KEY (tenant_id, day, interaction_id, attempt)
) PARTITION BY RANGE (day);

CREATE INDEX ix_offer_tenant_id_agent_id_offered_at ON offer (tenant_id, agent_id, offered_at);

CREATE TABLE queue_visit (
    tenant_id TEXT NOT NULL,
    day DATE NOT NULL,
    interaction_id TEXT NOT NULL,
    visit INTEGER NOT NULL,
    queue_id TEXT NOT NULL,
    entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    queued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    left_at TIMESTAMP WITH TIME ZONE,
    exit_cause TEXT,
    wait_ms BIGINT,
    agent_id TEXT,
    offer_count INTEGER DEFAULT '0' NOT NULL,
    priority_ms BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_queue_visit PRIMARY KEY (tenant_id, day, interaction_id, visit)
) PARTITION BY RANGE (day);

CREATE INDEX ix_queue_visit_tenant_id_queue_id_entered_at ON queue_visit (tenant_id, queue_id, entered_at);

CREATE TABLE segment (
    tenant_id TEXT NOT NULL,
    day DATE NOT NULL,
    interaction_id TEXT NOT NULL,
    track TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    queue_id TEXT,
    agent_id TEXT,
    visit INTEGER,
    attempt INTEGER,
    exit_cause TEXT,
    grade TEXT DEFAULT 'live' NOT NULL,
    CONSTRAINT pk_segment PRIMARY KEY (tenant_id, day, interaction_id, track, ordinal)
) PARTITION BY RANGE (day);

CREATE INDEX ix_segment_tenant_id_agent_id_started_at ON segment (tenant_id, agent_id, started_at);

CREATE INDEX ix_segment_tenant_id_started_at ON segment (tenant_id, started_at);

CREATE TABLE tenant (
    tenant_id TEXT NOT NULL,
    display_name TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_tenant PRIMARY KEY (tenant_id)
);

CREATE TABLE calendar (
    tenant_id TEXT NOT NULL,
    calendar_id TEXT NOT NULL CONSTRAINT ck_calendar_calendar_id_slug CHECK (calendar_id ~ '^[a-z][a-z0-9_]{0,31}$'),
    display_name TEXT DEFAULT '' NOT NULL,
    zone TEXT DEFAULT 'UTC' NOT NULL,
    region TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_calendar PRIMARY KEY (tenant_id, calendar_id),
    CONSTRAINT fk_calendar_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE cel_offset (
    tenant_id TEXT NOT NULL,
    pbx_id TEXT NOT NULL,
    path TEXT NOT NULL,
    file_mark TEXT NOT NULL,
    offset_bytes BIGINT NOT NULL,
    moved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_cel_offset PRIMARY KEY (tenant_id, pbx_id, path),
    CONSTRAINT fk_cel_offset_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE config_version (
    tenant_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    made_by TEXT DEFAULT '' NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    centre JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_config_version PRIMARY KEY (tenant_id, version),
    CONSTRAINT fk_config_version_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE consent (
    tenant_id TEXT NOT NULL,
    consent_id UUID NOT NULL,
    party_id UUID,
    number_normal TEXT,
    purpose TEXT NOT NULL,
    medium TEXT DEFAULT 'voice' NOT NULL,
    state TEXT NOT NULL,
    source TEXT DEFAULT '' NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE,
    valid_to TIMESTAMP WITH TIME ZONE,
    evidence JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_consent PRIMARY KEY (tenant_id, consent_id),
    CONSTRAINT ck_consent_state CHECK (state IN ('granted','refused','withdrawn')),
    CONSTRAINT ck_consent_somebody CHECK (party_id IS NOT NULL OR number_normal IS NOT NULL),
    CONSTRAINT fk_consent_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_consent_tenant_id_number_normal ON consent (tenant_id, number_normal);

CREATE INDEX ix_consent_tenant_id_party_id ON consent (tenant_id, party_id);

CREATE TABLE cost_centre (
    tenant_id TEXT NOT NULL,
    cost_centre_id TEXT NOT NULL CONSTRAINT ck_cost_centre_cost_centre_id_slug CHECK (cost_centre_id ~ '^[a-z][a-z0-9_]{0,31}$'),
    display_name TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_cost_centre PRIMARY KEY (tenant_id, cost_centre_id),
    CONSTRAINT fk_cost_centre_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE custom_field (
    tenant_id TEXT NOT NULL,
    field_id TEXT NOT NULL,
    applies_to TEXT DEFAULT 'person' NOT NULL,
    type TEXT DEFAULT 'text' NOT NULL,
    display_name TEXT DEFAULT '' NOT NULL,
    options JSONB DEFAULT '{}' NOT NULL,
    is_personal BOOLEAN DEFAULT 'true' NOT NULL,
    CONSTRAINT pk_custom_field PRIMARY KEY (tenant_id, field_id),
    CONSTRAINT fk_custom_field_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE do_not_contact (
    tenant_id TEXT NOT NULL,
    number_normal TEXT NOT NULL,
    medium TEXT DEFAULT 'voice' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    source TEXT DEFAULT '' NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    until_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_do_not_contact PRIMARY KEY (tenant_id, number_normal, medium),
    CONSTRAINT fk_do_not_contact_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE drain_cursor (
    tenant_id TEXT NOT NULL,
    journal_id TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    moved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_drain_cursor PRIMARY KEY (tenant_id, journal_id),
    CONSTRAINT fk_drain_cursor_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE employer (
    tenant_id TEXT NOT NULL,
    employer_id TEXT NOT NULL CONSTRAINT ck_employer_employer_id_slug CHECK (employer_id ~ '^[a-z][a-z0-9_]{0,31}$'),
    display_name TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_employer PRIMARY KEY (tenant_id, employer_id),
    CONSTRAINT fk_employer_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE identifier (
    tenant_id TEXT NOT NULL,
    identifier_id UUID NOT NULL,
    kind TEXT NOT NULL,
    raw TEXT DEFAULT '' NOT NULL,
    normal TEXT NOT NULL,
    region TEXT DEFAULT '' NOT NULL,
    verified_at TIMESTAMP WITH TIME ZONE,
    valid_from TIMESTAMP WITH TIME ZONE,
    valid_to TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_identifier PRIMARY KEY (tenant_id, identifier_id),
    CONSTRAINT uq_identifier_tenant_id_kind_normal UNIQUE (tenant_id, kind, normal),
    CONSTRAINT ck_identifier_kind CHECK (kind IN ('e164','short','extension','sip','withheld','email','line','wechat','web','external')),
    CONSTRAINT fk_identifier_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE journal_epoch (
    tenant_id TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_journal_epoch PRIMARY KEY (tenant_id),
    CONSTRAINT fk_journal_epoch_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE not_ready_reason (
    tenant_id TEXT NOT NULL,
    reason TEXT NOT NULL CONSTRAINT ck_not_ready_reason_reason_slug CHECK (reason ~ '^[a-z][a-z0-9_]{0,31}$'),
    display_name TEXT DEFAULT '' NOT NULL,
    is_paid BOOLEAN DEFAULT 'true' NOT NULL,
    is_system BOOLEAN DEFAULT 'false' NOT NULL,
    limit_s DOUBLE PRECISION,
    ordinal INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_not_ready_reason PRIMARY KEY (tenant_id, reason),
    CONSTRAINT fk_not_ready_reason_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE party (
    tenant_id TEXT NOT NULL,
    party_id UUID NOT NULL,
    kind TEXT DEFAULT 'person' NOT NULL,
    display_name TEXT DEFAULT '' NOT NULL,
    language TEXT DEFAULT '' NOT NULL,
    custom JSONB DEFAULT '{}' NOT NULL,
    external_ref TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_party PRIMARY KEY (tenant_id, party_id),
    CONSTRAINT ck_party_kind CHECK (kind IN ('person','organisation','household','partner','supplier')),
    CONSTRAINT fk_party_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE promise (
    tenant_id TEXT NOT NULL,
    promise_id UUID NOT NULL,
    kind TEXT NOT NULL,
    to_party_id UUID,
    promised_by TEXT DEFAULT '' NOT NULL,
    made_in TEXT,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    calendar_id TEXT,
    state TEXT DEFAULT 'open' NOT NULL,
    evidence JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_promise PRIMARY KEY (tenant_id, promise_id),
    CONSTRAINT ck_promise_state CHECK (state IN ('open','kept','broken','released')),
    CONSTRAINT fk_promise_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_promise_tenant_id_state_due_at ON promise (tenant_id, state, due_at);

CREATE TABLE reason_tree (
    tenant_id TEXT NOT NULL,
    tree_version INTEGER NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE,
    note TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_reason_tree PRIMARY KEY (tenant_id, tree_version),
    CONSTRAINT fk_reason_tree_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE site (
    tenant_id TEXT NOT NULL,
    site_id TEXT NOT NULL CONSTRAINT ck_site_site_id_slug CHECK (site_id ~ '^[a-z][a-z0-9_]{0,31}$'),
    display_name TEXT DEFAULT '' NOT NULL,
    zone TEXT DEFAULT 'UTC' NOT NULL,
    CONSTRAINT pk_site PRIMARY KEY (tenant_id, site_id),
    CONSTRAINT fk_site_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE skill (
    tenant_id TEXT NOT NULL,
    skill_id TEXT NOT NULL CONSTRAINT ck_skill_skill_id_slug CHECK (skill_id ~ '^[a-z][a-z0-9_]{0,31}$'),
    display_name TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_skill PRIMARY KEY (tenant_id, skill_id),
    CONSTRAINT fk_skill_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE team (
    tenant_id TEXT NOT NULL,
    team_id TEXT NOT NULL CONSTRAINT ck_team_team_id_slug CHECK (team_id ~ '^[a-z][a-z0-9_]{0,31}$'),
    display_name TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_team PRIMARY KEY (tenant_id, team_id),
    CONSTRAINT fk_team_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE trunk (
    tenant_id TEXT NOT NULL,
    trunk_id TEXT NOT NULL CONSTRAINT ck_trunk_trunk_id_slug CHECK (trunk_id ~ '^[a-z][a-z0-9_]{0,31}$'),
    pbx_id TEXT DEFAULT '' NOT NULL,
    display_name TEXT DEFAULT '' NOT NULL,
    region TEXT DEFAULT '' NOT NULL,
    area_code TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_trunk PRIMARY KEY (tenant_id, trunk_id),
    CONSTRAINT fk_trunk_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE wrap_up_code (
    tenant_id TEXT NOT NULL,
    code TEXT NOT NULL CONSTRAINT ck_wrap_up_code_code_slug CHECK (code ~ '^[a-z][a-z0-9_]{0,31}$'),
    display_name TEXT DEFAULT '' NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_wrap_up_code PRIMARY KEY (tenant_id, code),
    CONSTRAINT fk_wrap_up_code_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE agent (
    tenant_id TEXT NOT NULL,
    agent_id TEXT NOT NULL CONSTRAINT ck_agent_agent_id_slug CHECK (agent_id ~ '^[a-z][a-z0-9_]{0,31}$'),
    display_name TEXT DEFAULT '' NOT NULL,
    device TEXT DEFAULT '' NOT NULL,
    team_id TEXT,
    voice_slots INTEGER DEFAULT '1' NOT NULL,
    wrap_up_s DOUBLE PRECISION,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    left_at TIMESTAMP WITH TIME ZONE,
    settings JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_agent PRIMARY KEY (tenant_id, agent_id),
    CONSTRAINT fk_agent_tenant_id_team_id FOREIGN KEY(tenant_id, team_id) REFERENCES team (tenant_id, team_id),
    CONSTRAINT fk_agent_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE calendar_day (
    tenant_id TEXT NOT NULL,
    calendar_id TEXT NOT NULL,
    day DATE NOT NULL,
    ordinal INTEGER DEFAULT '0' NOT NULL,
    kind TEXT NOT NULL,
    region TEXT DEFAULT '' NOT NULL,
    display_name TEXT DEFAULT '' NOT NULL,
    source TEXT DEFAULT '' NOT NULL,
    as_weekday INTEGER,
    starts_minute INTEGER,
    ends_minute INTEGER,
    CONSTRAINT pk_calendar_day PRIMARY KEY (tenant_id, calendar_id, day, ordinal),
    CONSTRAINT ck_calendar_day_kind CHECK (kind IN ('holiday','make_up_workday','closure','opening')),
    CONSTRAINT fk_calendar_day_tenant_id_calendar_id FOREIGN KEY(tenant_id, calendar_id) REFERENCES calendar (tenant_id, calendar_id),
    CONSTRAINT fk_calendar_day_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE calendar_interval (
    tenant_id TEXT NOT NULL,
    calendar_id TEXT NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    weekday INTEGER NOT NULL CONSTRAINT ck_calendar_interval_weekday CHECK (weekday BETWEEN 0 AND 6),
    starts_minute INTEGER NOT NULL,
    ends_minute INTEGER NOT NULL,
    CONSTRAINT pk_calendar_interval PRIMARY KEY (tenant_id, calendar_id, valid_from, weekday, starts_minute),
    CONSTRAINT ck_calendar_interval_range CHECK (0 <= starts_minute AND starts_minute < ends_minute AND ends_minute <= 1440),
    CONSTRAINT fk_calendar_interval_tenant_id_calendar_id FOREIGN KEY(tenant_id, calendar_id) REFERENCES calendar (tenant_id, calendar_id),
    CONSTRAINT fk_calendar_interval_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE contact_reason (
    tenant_id TEXT NOT NULL,
    tree_version INTEGER NOT NULL,
    reason_id TEXT NOT NULL CONSTRAINT ck_contact_reason_reason_id_slug CHECK (reason_id ~ '^[a-z][a-z0-9_]{0,31}$'),
    parent_id TEXT,
    display_name TEXT DEFAULT '' NOT NULL,
    whose_cause TEXT DEFAULT '' NOT NULL,
    is_avoidable BOOLEAN DEFAULT 'false' NOT NULL,
    ordinal INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_contact_reason PRIMARY KEY (tenant_id, tree_version, reason_id),
    CONSTRAINT fk_contact_reason_tenant_id_tree_version FOREIGN KEY(tenant_id, tree_version) REFERENCES reason_tree (tenant_id, tree_version),
    CONSTRAINT fk_contact_reason_tenant_id_tree_version_parent_id FOREIGN KEY(tenant_id, tree_version, parent_id) REFERENCES contact_reason (tenant_id, tree_version, reason_id),
    CONSTRAINT fk_contact_reason_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE party_alias (
    tenant_id TEXT NOT NULL,
    alias_id UUID NOT NULL,
    merged_party_id UUID NOT NULL,
    party_id UUID NOT NULL,
    merged_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    merged_by TEXT DEFAULT '' NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    undone_by TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_party_alias PRIMARY KEY (tenant_id, alias_id),
    CONSTRAINT fk_party_alias_tenant_id_merged_party_id FOREIGN KEY(tenant_id, merged_party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT fk_party_alias_tenant_id_party_id FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_party_alias_not_itself CHECK (merged_party_id <> party_id),
    CONSTRAINT fk_party_alias_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE UNIQUE INDEX uq_party_alias_in_force ON party_alias (tenant_id, merged_party_id) WHERE undone_at IS NULL;

CREATE TABLE party_bigram (
    tenant_id TEXT NOT NULL,
    bigram TEXT NOT NULL,
    party_id UUID NOT NULL,
    CONSTRAINT pk_party_bigram PRIMARY KEY (tenant_id, bigram, party_id),
    CONSTRAINT fk_party_bigram_tenant_id_party_id FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT fk_party_bigram_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_party_bigram_tenant_id_party_id ON party_bigram (tenant_id, party_id);

CREATE TABLE party_identifier (
    tenant_id TEXT NOT NULL,
    party_id UUID NOT NULL,
    identifier_id UUID NOT NULL,
    label TEXT DEFAULT '' NOT NULL,
    source TEXT DEFAULT '' NOT NULL,
    extension TEXT DEFAULT '' NOT NULL,
    is_preferred BOOLEAN DEFAULT 'false' NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE,
    valid_to TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_party_identifier PRIMARY KEY (tenant_id, party_id, identifier_id),
    CONSTRAINT fk_party_identifier_tenant_id_party_id FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT fk_party_identifier_tenant_id_identifier_id FOREIGN KEY(tenant_id, identifier_id) REFERENCES identifier (tenant_id, identifier_id),
    CONSTRAINT fk_party_identifier_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_party_identifier_tenant_id_identifier_id ON party_identifier (tenant_id, identifier_id);

CREATE TABLE queue (
    tenant_id TEXT NOT NULL,
    queue_id TEXT NOT NULL CONSTRAINT ck_queue_queue_id_slug CHECK (queue_id ~ '^[a-z][a-z0-9_]{0,31}$'),
    display_name TEXT DEFAULT '' NOT NULL,
    medium TEXT DEFAULT 'voice' NOT NULL,
    threshold_s DOUBLE PRECISION DEFAULT '20' NOT NULL,
    service_level_target DOUBLE PRECISION DEFAULT '0.8' NOT NULL,
    weight DOUBLE PRECISION DEFAULT '1' NOT NULL,
    boost_s DOUBLE PRECISION DEFAULT '0' NOT NULL,
    max_wait_s DOUBLE PRECISION DEFAULT '600' NOT NULL,
    ring_timeout_s DOUBLE PRECISION DEFAULT '15' NOT NULL,
    preset TEXT DEFAULT 'strict' NOT NULL,
    wrap_up_mode TEXT DEFAULT 'timed' NOT NULL,
    wrap_up_s DOUBLE PRECISION DEFAULT '30' NOT NULL,
    wrap_up_extendable BOOLEAN DEFAULT 'true' NOT NULL,
    short_abandon_s DOUBLE PRECISION DEFAULT '5' NOT NULL,
    queue_timeout_s DOUBLE PRECISION,
    calendar_id TEXT,
    is_default BOOLEAN DEFAULT 'false' NOT NULL,
    settings JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_queue PRIMARY KEY (tenant_id, queue_id),
    CONSTRAINT ck_queue_wrap_up_mode CHECK (wrap_up_mode IN ('none','optional','timed','manual')),
    CONSTRAINT ck_queue_service_level_target CHECK (service_level_target BETWEEN 0 AND 1),
    CONSTRAINT fk_queue_tenant_id_calendar_id FOREIGN KEY(tenant_id, calendar_id) REFERENCES calendar (tenant_id, calendar_id),
    CONSTRAINT fk_queue_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE UNIQUE INDEX uq_queue_default ON queue (tenant_id) WHERE is_default;

CREATE TABLE relation (
    tenant_id TEXT NOT NULL,
    relation_id UUID NOT NULL,
    from_party_id UUID NOT NULL,
    to_party_id UUID NOT NULL,
    kind TEXT NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE,
    valid_to TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_relation PRIMARY KEY (tenant_id, relation_id),
    CONSTRAINT fk_relation_tenant_id_from_party_id FOREIGN KEY(tenant_id, from_party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT fk_relation_tenant_id_to_party_id FOREIGN KEY(tenant_id, to_party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT fk_relation_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_relation_tenant_id_from_party_id ON relation (tenant_id, from_party_id);

CREATE INDEX ix_relation_tenant_id_to_party_id ON relation (tenant_id, to_party_id);

CREATE TABLE agent_membership (
    tenant_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    team_id TEXT,
    site_id TEXT,
    employer_id TEXT,
    cost_centre_id TEXT,
    CONSTRAINT pk_agent_membership PRIMARY KEY (tenant_id, agent_id, valid_from),
    CONSTRAINT ck_agent_membership_range CHECK (valid_to > valid_from),
    CONSTRAINT fk_agent_membership_tenant_id_agent_id FOREIGN KEY(tenant_id, agent_id) REFERENCES agent (tenant_id, agent_id),
    CONSTRAINT fk_agent_membership_tenant_id_team_id FOREIGN KEY(tenant_id, team_id) REFERENCES team (tenant_id, team_id),
    CONSTRAINT fk_agent_membership_tenant_id_site_id FOREIGN KEY(tenant_id, site_id) REFERENCES site (tenant_id, site_id),
    CONSTRAINT fk_agent_membership_tenant_id_employer_id FOREIGN KEY(tenant_id, employer_id) REFERENCES employer (tenant_id, employer_id),
    CONSTRAINT fk_agent_membership_tenant_id_cost_centre_id FOREIGN KEY(tenant_id, cost_centre_id) REFERENCES cost_centre (tenant_id, cost_centre_id),
    CONSTRAINT fk_agent_membership_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE agent_skill (
    tenant_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    skill_id TEXT NOT NULL,
    level INTEGER NOT NULL CONSTRAINT ck_agent_skill_level CHECK (level BETWEEN 1 AND 10),
    CONSTRAINT pk_agent_skill PRIMARY KEY (tenant_id, agent_id, skill_id),
    CONSTRAINT fk_agent_skill_tenant_id_agent_id FOREIGN KEY(tenant_id, agent_id) REFERENCES agent (tenant_id, agent_id),
    CONSTRAINT fk_agent_skill_tenant_id_skill_id FOREIGN KEY(tenant_id, skill_id) REFERENCES skill (tenant_id, skill_id),
    CONSTRAINT fk_agent_skill_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE contact_reason_mapping (
    tenant_id TEXT NOT NULL,
    from_version INTEGER NOT NULL,
    from_reason_id TEXT NOT NULL,
    to_version INTEGER NOT NULL,
    to_reason_id TEXT NOT NULL,
    share NUMERIC(6, 5) NOT NULL CONSTRAINT ck_contact_reason_mapping_share CHECK (share > 0 AND share <= 1),
    CONSTRAINT pk_contact_reason_mapping PRIMARY KEY (tenant_id, from_version, from_reason_id, to_version, to_reason_id),
    CONSTRAINT fk_contact_reason_mapping_tenant_id_from_version_from_reason_id FOREIGN KEY(tenant_id, from_version, from_reason_id) REFERENCES contact_reason (tenant_id, tree_version, reason_id),
    CONSTRAINT fk_contact_reason_mapping_tenant_id_to_version_to_reason_id FOREIGN KEY(tenant_id, to_version, to_reason_id) REFERENCES contact_reason (tenant_id, tree_version, reason_id),
    CONSTRAINT fk_contact_reason_mapping_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE entry_point (
    tenant_id TEXT NOT NULL,
    entry_point TEXT NOT NULL,
    display_name TEXT DEFAULT '' NOT NULL,
    queue_id TEXT,
    calendar_id TEXT,
    trunk_id TEXT,
    language TEXT DEFAULT '' NOT NULL,
    priority_s DOUBLE PRECISION DEFAULT '0' NOT NULL,
    CONSTRAINT pk_entry_point PRIMARY KEY (tenant_id, entry_point),
    CONSTRAINT fk_entry_point_tenant_id_queue_id FOREIGN KEY(tenant_id, queue_id) REFERENCES queue (tenant_id, queue_id),
    CONSTRAINT fk_entry_point_tenant_id_calendar_id FOREIGN KEY(tenant_id, calendar_id) REFERENCES calendar (tenant_id, calendar_id),
    CONSTRAINT fk_entry_point_tenant_id_trunk_id FOREIGN KEY(tenant_id, trunk_id) REFERENCES trunk (tenant_id, trunk_id),
    CONSTRAINT fk_entry_point_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE queue_skill (
    tenant_id TEXT NOT NULL,
    queue_id TEXT NOT NULL,
    skill_id TEXT NOT NULL,
    level_min INTEGER NOT NULL CONSTRAINT ck_queue_skill_level CHECK (level_min BETWEEN 1 AND 10),
    CONSTRAINT pk_queue_skill PRIMARY KEY (tenant_id, queue_id, skill_id),
    CONSTRAINT fk_queue_skill_tenant_id_queue_id FOREIGN KEY(tenant_id, queue_id) REFERENCES queue (tenant_id, queue_id),
    CONSTRAINT fk_queue_skill_tenant_id_skill_id FOREIGN KEY(tenant_id, skill_id) REFERENCES skill (tenant_id, skill_id),
    CONSTRAINT fk_queue_skill_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE queue_wrap_up_code (
    tenant_id TEXT NOT NULL,
    queue_id TEXT NOT NULL,
    code TEXT NOT NULL,
    ordinal INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_queue_wrap_up_code PRIMARY KEY (tenant_id, queue_id, code),
    CONSTRAINT fk_queue_wrap_up_code_tenant_id_queue_id FOREIGN KEY(tenant_id, queue_id) REFERENCES queue (tenant_id, queue_id),
    CONSTRAINT fk_queue_wrap_up_code_tenant_id_code FOREIGN KEY(tenant_id, code) REFERENCES wrap_up_code (tenant_id, code),
    CONSTRAINT fk_queue_wrap_up_code_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE agent_span_default PARTITION OF agent_span DEFAULT;

CREATE TABLE contact_attempt_default PARTITION OF contact_attempt DEFAULT;

CREATE TABLE event_default PARTITION OF event DEFAULT;

CREATE TABLE interaction_default PARTITION OF interaction DEFAULT;

CREATE TABLE interaction_reason_default PARTITION OF interaction_reason DEFAULT;

CREATE TABLE leg_default PARTITION OF leg DEFAULT;

CREATE TABLE offer_default PARTITION OF offer DEFAULT;

CREATE TABLE queue_visit_default PARTITION OF queue_visit DEFAULT;

CREATE TABLE segment_default PARTITION OF segment DEFAULT;

ALTER TABLE agent_span ENABLE ROW LEVEL SECURITY;

ALTER TABLE agent_span FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON agent_span USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON agent_span TO holdless_app;

ALTER TABLE contact_attempt ENABLE ROW LEVEL SECURITY;

ALTER TABLE contact_attempt FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON contact_attempt USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT ON contact_attempt TO holdless_app -- what happened is never changed;

ALTER TABLE event ENABLE ROW LEVEL SECURITY;

ALTER TABLE event FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON event USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT ON event TO holdless_app -- what happened is never changed;

ALTER TABLE interaction ENABLE ROW LEVEL SECURITY;

ALTER TABLE interaction FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON interaction USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON interaction TO holdless_app;

ALTER TABLE interaction_reason ENABLE ROW LEVEL SECURITY;

ALTER TABLE interaction_reason FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON interaction_reason USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON interaction_reason TO holdless_app;

ALTER TABLE leg ENABLE ROW LEVEL SECURITY;

ALTER TABLE leg FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON leg USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON leg TO holdless_app;

ALTER TABLE offer ENABLE ROW LEVEL SECURITY;

ALTER TABLE offer FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON offer USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON offer TO holdless_app;

ALTER TABLE queue_visit ENABLE ROW LEVEL SECURITY;

ALTER TABLE queue_visit FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON queue_visit USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON queue_visit TO holdless_app;

ALTER TABLE segment ENABLE ROW LEVEL SECURITY;

ALTER TABLE segment FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON segment USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON segment TO holdless_app;

ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;

ALTER TABLE tenant FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON tenant USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (true);

GRANT SELECT ON tenant TO holdless_app;

ALTER TABLE calendar ENABLE ROW LEVEL SECURITY;

ALTER TABLE calendar FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON calendar USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON calendar TO holdless_app;

ALTER TABLE cel_offset ENABLE ROW LEVEL SECURITY;

ALTER TABLE cel_offset FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON cel_offset USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON cel_offset TO holdless_app;

ALTER TABLE config_version ENABLE ROW LEVEL SECURITY;

ALTER TABLE config_version FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON config_version USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON config_version TO holdless_app;

ALTER TABLE consent ENABLE ROW LEVEL SECURITY;

ALTER TABLE consent FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON consent USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON consent TO holdless_app;

ALTER TABLE cost_centre ENABLE ROW LEVEL SECURITY;

ALTER TABLE cost_centre FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON cost_centre USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON cost_centre TO holdless_app;

ALTER TABLE custom_field ENABLE ROW LEVEL SECURITY;

ALTER TABLE custom_field FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON custom_field USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON custom_field TO holdless_app;

ALTER TABLE do_not_contact ENABLE ROW LEVEL SECURITY;

ALTER TABLE do_not_contact FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON do_not_contact USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON do_not_contact TO holdless_app;

ALTER TABLE drain_cursor ENABLE ROW LEVEL SECURITY;

ALTER TABLE drain_cursor FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON drain_cursor USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON drain_cursor TO holdless_app;

ALTER TABLE employer ENABLE ROW LEVEL SECURITY;

ALTER TABLE employer FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON employer USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON employer TO holdless_app;

ALTER TABLE identifier ENABLE ROW LEVEL SECURITY;

ALTER TABLE identifier FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON identifier USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON identifier TO holdless_app;

ALTER TABLE journal_epoch ENABLE ROW LEVEL SECURITY;

ALTER TABLE journal_epoch FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON journal_epoch USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON journal_epoch TO holdless_app;

ALTER TABLE not_ready_reason ENABLE ROW LEVEL SECURITY;

ALTER TABLE not_ready_reason FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON not_ready_reason USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON not_ready_reason TO holdless_app;

ALTER TABLE party ENABLE ROW LEVEL SECURITY;

ALTER TABLE party FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON party USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON party TO holdless_app;

ALTER TABLE promise ENABLE ROW LEVEL SECURITY;

ALTER TABLE promise FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON promise USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON promise TO holdless_app;

ALTER TABLE reason_tree ENABLE ROW LEVEL SECURITY;

ALTER TABLE reason_tree FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON reason_tree USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON reason_tree TO holdless_app;

ALTER TABLE site ENABLE ROW LEVEL SECURITY;

ALTER TABLE site FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON site USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON site TO holdless_app;

ALTER TABLE skill ENABLE ROW LEVEL SECURITY;

ALTER TABLE skill FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON skill USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON skill TO holdless_app;

ALTER TABLE team ENABLE ROW LEVEL SECURITY;

ALTER TABLE team FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON team USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON team TO holdless_app;

ALTER TABLE trunk ENABLE ROW LEVEL SECURITY;

ALTER TABLE trunk FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON trunk USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON trunk TO holdless_app;

ALTER TABLE wrap_up_code ENABLE ROW LEVEL SECURITY;

ALTER TABLE wrap_up_code FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON wrap_up_code USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON wrap_up_code TO holdless_app;

ALTER TABLE agent ENABLE ROW LEVEL SECURITY;

ALTER TABLE agent FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON agent USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON agent TO holdless_app;

ALTER TABLE calendar_day ENABLE ROW LEVEL SECURITY;

ALTER TABLE calendar_day FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON calendar_day USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_day TO holdless_app;

ALTER TABLE calendar_interval ENABLE ROW LEVEL SECURITY;

ALTER TABLE calendar_interval FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON calendar_interval USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_interval TO holdless_app;

ALTER TABLE contact_reason ENABLE ROW LEVEL SECURITY;

ALTER TABLE contact_reason FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON contact_reason USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON contact_reason TO holdless_app;

ALTER TABLE party_alias ENABLE ROW LEVEL SECURITY;

ALTER TABLE party_alias FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON party_alias USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON party_alias TO holdless_app;

ALTER TABLE party_bigram ENABLE ROW LEVEL SECURITY;

ALTER TABLE party_bigram FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON party_bigram USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON party_bigram TO holdless_app;

ALTER TABLE party_identifier ENABLE ROW LEVEL SECURITY;

ALTER TABLE party_identifier FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON party_identifier USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON party_identifier TO holdless_app;

ALTER TABLE queue ENABLE ROW LEVEL SECURITY;

ALTER TABLE queue FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON queue USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON queue TO holdless_app;

ALTER TABLE relation ENABLE ROW LEVEL SECURITY;

ALTER TABLE relation FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON relation USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON relation TO holdless_app;

ALTER TABLE agent_membership ENABLE ROW LEVEL SECURITY;

ALTER TABLE agent_membership FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON agent_membership USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON agent_membership TO holdless_app;

ALTER TABLE agent_skill ENABLE ROW LEVEL SECURITY;

ALTER TABLE agent_skill FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON agent_skill USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON agent_skill TO holdless_app;

ALTER TABLE contact_reason_mapping ENABLE ROW LEVEL SECURITY;

ALTER TABLE contact_reason_mapping FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON contact_reason_mapping USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON contact_reason_mapping TO holdless_app;

ALTER TABLE entry_point ENABLE ROW LEVEL SECURITY;

ALTER TABLE entry_point FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON entry_point USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON entry_point TO holdless_app;

ALTER TABLE queue_skill ENABLE ROW LEVEL SECURITY;

ALTER TABLE queue_skill FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON queue_skill USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON queue_skill TO holdless_app;

ALTER TABLE queue_wrap_up_code ENABLE ROW LEVEL SECURITY;

ALTER TABLE queue_wrap_up_code FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON queue_wrap_up_code USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON queue_wrap_up_code TO holdless_app;

-- Partitions of the log. They are reached through their parents alone, so nobody is granted anything on
-- them. Rows that waited in the DEFAULT partition move into the day's own.
CREATE FUNCTION ensure_log_partitions(days date[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    parent text;
    day_wanted date;
    made integer := 0;
    partition_name text;
    lock_taken boolean := false;
BEGIN
    FOREACH day_wanted IN ARRAY days LOOP
        -- An id with a senseless date goes to the DEFAULT partition, where it alarms.
        CONTINUE WHEN abs(day_wanted - current_date) > 3660;
        FOREACH parent IN ARRAY ARRAY['agent_span', 'contact_attempt', 'event', 'interaction', 'interaction_reason', 'leg', 'offer', 'queue_visit', 'segment'] LOOP
            partition_name := parent || '_' || to_char(day_wanted, 'YYYYMMDD');
            CONTINUE WHEN to_regclass(quote_ident(partition_name)) IS NOT NULL;
            IF NOT lock_taken THEN
                PERFORM pg_advisory_xact_lock(1752132708, 1);
                lock_taken := true;
                CONTINUE WHEN to_regclass(quote_ident(partition_name)) IS NOT NULL;
            END IF;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition_name, parent);
            EXECUTE format(
                'WITH moved AS (DELETE FROM %I WHERE day = %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
                parent || '_default', day_wanted, partition_name);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, partition_name, day_wanted, day_wanted + 1);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ensure_log_partitions(date[]) SET search_path = %I, pg_temp', current_schema());
END $$;

-- Yesterday (clocks differ), today and seven days ahead.
CREATE FUNCTION ensure_log_partitions_ahead() RETURNS integer
LANGUAGE sql AS $$
    SELECT ensure_log_partitions(ARRAY(
        SELECT (now() AT TIME ZONE 'UTC')::date + ahead FROM generate_series(-1, 7) AS ahead))
$$;

REVOKE ALL ON FUNCTION ensure_log_partitions(date[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION ensure_log_partitions(date[]) TO holdless_app;

