ALTER TABLE segment ADD COLUMN ended_by text;

ALTER TABLE segment ADD COLUMN end_reason text;
