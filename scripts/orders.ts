/** The document of an order, for the demo of JSON and for benchmarks: 18 fields, about 460 bytes. */
export function orderDocument(n: number): string {
  return JSON.stringify({
    id: 100_000_000 + n * 7919,
    source: "web-shop",
    channel: ["mobile", "desktop"][n % 2],
    version: 1 + n % 9,
    customer: {
      id: n * 31 % 100_000,
      name: ["Ada Lovelace", "Grace Hopper", "Jürgen Müller", "Donald E. Knuth"][n % 4],
      email: `user${n * 17 % 100_000}@example.com`,
      address: {
        street: `${n % 999} Main Street`,
        city: ["London", "New York", "Rotterdam", "Los Angeles"][n % 4],
        zip: `${10_000 + n % 89_999}`,
      },
    },
    amount: n * 37 % 100_000 / 100,
    currency: "EUR",
    status: ["new", "paid", "shipped"][n % 3],
    items: [
      { sku: `SKU-${n * 13 % 10_000}`, quantity: 1 + n % 9, price: n * 7 % 10_000 / 100 },
      { sku: `SKU-${n * 29 % 10_000}`, quantity: 1 + n % 7, price: n * 3 % 10_000 / 100 },
    ],
    flags: { vip: n % 2 === 0, gift: false },
    note: ["please ring, twice", "leave it at the door", "", null][n % 4],
    created: new Date(1_700_000_000_000 + n * 1001).toISOString(),
  });
}
