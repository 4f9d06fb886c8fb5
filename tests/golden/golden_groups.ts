// Made by tests/golden/capture_groups.ts from real brokers' answers; README.md says how.

/** Base64 of each answer, from after its correlation id. */
export const goldenGroups = {
  consumer_group_describe:
    "AAAAAAIAAAALZ29sZGVuLW5ldwdTdGFibGUAAAABAAAAAQh1bmlmb3JtAhdudVIxN3JHVVFrVzhKYlZmMVVUbHlBAAAAAAABEWNvbnNvbGUtY29uc3VtZXILLzEyNy4wLjAuMQIPZ29sZGVuLW1lbWJlcnMBApSQ/uOlsELgqPxhq85TfzgPZ29sZGVuLW1lbWJlcnMDAAAAAAAAAAEAAAKUkP7jpbBC4Kj8YavOU384D2dvbGRlbi1tZW1iZXJzAwAAAAAAAAABAAABAIAAAAAAAA==",
  consumer_group_describe_missing:
    "AAAAAAIARRZHcm91cCBub25lIG5vdCBmb3VuZC4Fbm9uZQEAAAAAAAAAAAEBgAAAAAAA",
  consumer_group_describe_classic:
    "AAAAAAIARS5Hcm91cCBnb2xkZW4tY2xhc3NpYyBpcyBub3QgYSBjb25zdW1lciBncm91cC4PZ29sZGVuLWNsYXNzaWMBAAAAAAAAAAABAYAAAAAAAA==",
} as const;
