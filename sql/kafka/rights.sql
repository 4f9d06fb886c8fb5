-- Who calls, and what a source's target lets them do.

-- Who calls, also inside of SECURITY DEFINER: the role of SET ROLE, else the session's.
CREATE OR REPLACE FUNCTION kafka._caller() RETURNS name
LANGUAGE sql STABLE AS $$
  SELECT CASE pg_catalog.current_setting('role')
    WHEN 'none' THEN session_user
    ELSE pg_catalog.current_setting('role')::pg_catalog.name
  END
$$;

-- Who really calls: also where code of another role runs inside of a session (a SECURITY DEFINER
-- function, a view that is refreshed, an index that is analyzed), of which kafka._caller knows
-- nothing. A SECURITY DEFINER function cannot see the role that calls it. But the default of its
-- last argument is evaluated with that role's rights, and a view reads its tables with its owner's:
-- so every role gets its own name signed, and no other role's.
CREATE OR REPLACE VIEW kafka._signed AS
SELECT current_user::text || ' ' || md5(k.secret || current_user::text || k.secret) AS name
FROM kafka.signing_key k;

CREATE OR REPLACE FUNCTION kafka._me() RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT x.name FROM kafka._signed x);
END
$$;

-- The role in what kafka._me has given.
CREATE OR REPLACE FUNCTION kafka._role_of(signed text) RETURNS name
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  role constant text := left(signed, -33);
BEGIN
  IF NOT EXISTS (SELECT 1 FROM kafka.signing_key k) THEN
    RAISE EXCEPTION 'cannot tell who calls: table kafka.signing_key is empty'
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Run the SQL of gpdb-kafka sql schema again.';
  ELSIF NOT EXISTS (SELECT 1 FROM kafka.signing_key k
    WHERE signed = role || ' ' || md5(k.secret || role || k.secret)) THEN
    RAISE EXCEPTION 'the last argument of a function of schema kafka is not for callers: leave it out'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN role;
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

-- Whether the caller, and the role whose code calls, may load a source ('INSERT'), or manage it.
CREATE OR REPLACE FUNCTION kafka._may(s kafka.source, privilege text, caller text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN kafka._role_may(kafka._role_of(caller), s, privilege)
    AND kafka._role_may(kafka._caller(), s, privilege);
END
$$;

-- 'OWNER': of the source's target, or of this schema, which is what remains if the target is gone.
CREATE OR REPLACE FUNCTION kafka._role_may(role name, s kafka.source, privilege text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner oid := (SELECT c.relowner FROM pg_class c WHERE c.oid = s.target_table);
BEGIN
  IF pg_has_role(role, (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'kafka'),
    'USAGE') THEN
    RETURN true;
  ELSIF owner IS NULL THEN
    RETURN false;
  ELSIF privilege = 'OWNER' THEN
    RETURN pg_has_role(role, owner, 'USAGE');
  END IF;
  RETURN has_table_privilege(role, s.target_table, privilege)
    AND (s.latest IS NULL OR has_table_privilege(role, s.target_table, 'DELETE')
      -- A merge by a client looks for the rows with the role's own rights.
      AND (s.via <> 'client' OR has_table_privilege(role, s.target_table, 'SELECT')));
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
