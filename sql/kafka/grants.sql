-- Who may do what: no role anything, unless kafka.allow grants it.

-- Lets a role call what a load takes, and look. What it may load is what it may INSERT into; what
-- it may seek, pause and drop is what it owns. For the owner of this schema only.
CREATE OR REPLACE FUNCTION kafka.allow(role name) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  f regprocedure;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA kafka TO %I', role);
  EXECUTE format('GRANT SELECT ON kafka.status, kafka.lag, kafka.load_offset, kafka.load_history, '
    'kafka.rejected, kafka._signed TO %I', role);
  -- A client calls the steps of a load itself; and if kafka.load runs with its caller's rights, the
  -- caller needs them, too.
  FOR f IN
    SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'kafka' AND (
      p.proname IN ('load', 'lag_of', 'rejected_of', 'check_source', 'seek', 'pause', 'resume', 'drop_source', '_me',
        '_stand', '_client_begin', '_client_finish', '_source', '_apply', '_merge', '_same_key', '_evaluation',
        '_topic_of_row', '_blame', '_clear', '_list', '_reject', '_keep_rejected', '_lock_merge', '_check_target',
        '_check_kind', '_target_columns', '_has_absent', '_fill_absent', '_check_event',
        '_seek_call', '_position')
      OR p.proname IN ('_begin', '_copy', '_not_of_client', '_logged', '_finish') AND NOT (
        SELECT l.prosecdef FROM pg_proc l WHERE l.oid = 'kafka.load(text, bigint, text)'::regprocedure))
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f, role);
  END LOOP;
END
$$;

REVOKE ALL ON SCHEMA kafka FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA kafka FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA kafka FROM PUBLIC;

-- Functions that were made again have lost their grants; those of version 1 were open to everybody.
DO $allow$
DECLARE
  role name;
BEGIN
  FOR role IN
    SELECT r.rolname
    FROM (SELECT (aclexplode(c.relacl)).*, c.relowner
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'kafka' AND c.relname = 'status') a
    JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.privilege_type = 'SELECT' AND a.grantee <> a.relowner
  LOOP
    PERFORM kafka.allow(role);
  END LOOP;
END
$allow$;
