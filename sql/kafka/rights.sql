-- Who calls, and what a source's target lets them do.

-- Who calls, also inside of SECURITY DEFINER: the role of SET ROLE, else the session's.
CREATE OR REPLACE FUNCTION kafka._caller() RETURNS name
LANGUAGE sql STABLE AS $$
  SELECT CASE pg_catalog.current_setting('role')
    WHEN 'none' THEN session_user
    ELSE pg_catalog.current_setting('role')::pg_catalog.name
  END
$$;

-- The longer snapshots of other levels do not see what another session has loaded (or pruned)
-- while this one waited for it, and would load it again.
CREATE OR REPLACE FUNCTION kafka._check_isolation() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'cannot work on sources in a % transaction: it does not see what others have loaded meanwhile',
      upper(current_setting('transaction_isolation'))
      USING ERRCODE = 'invalid_transaction_state',
        HINT = 'Use BEGIN ISOLATION LEVEL READ COMMITTED, or SET default_transaction_isolation.';
  END IF;
END
$$;

-- Whether the caller may load a source ('INSERT'), or manage it ('OWNER': of its target, or of this
-- schema, which is what remains if the target is gone).
CREATE OR REPLACE FUNCTION kafka._may(s kafka.source, privilege text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner oid := (SELECT c.relowner FROM pg_class c WHERE c.oid = s.target_table);
BEGIN
  IF pg_has_role(kafka._caller(), (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'kafka'),
    'USAGE') THEN
    RETURN true;
  ELSIF owner IS NULL THEN
    RETURN false;
  ELSIF privilege = 'OWNER' THEN
    RETURN pg_has_role(kafka._caller(), owner, 'USAGE');
  END IF;
  RETURN has_table_privilege(kafka._caller(), s.target_table, privilege);
END
$$;

-- Refuses a target that is not the table the source was added for, or not that owner's any more:
-- its triggers, defaults and constraints are part of every load.
CREATE OR REPLACE FUNCTION kafka._check_target(s kafka.source) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner text := (SELECT r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.oid = s.target_table);
BEGIN
  IF owner IS NULL THEN
    RAISE EXCEPTION 'cannot load source "%": its table % was dropped', s.name, s.target
      USING ERRCODE = 'undefined_table',
        HINT = 'If a new table has that name, run the SQL of gpdb-kafka sql source again for it.';
  ELSIF owner IS DISTINCT FROM s.target_owner THEN
    RAISE EXCEPTION 'cannot load source "%": table % belongs to role "%" now, not to "%"',
      s.name, s.target_table, owner, s.target_owner
      USING ERRCODE = 'insufficient_privilege',
        HINT = 'If you trust that role, run the SQL of gpdb-kafka sql source again.';
  END IF;
END
$$;
