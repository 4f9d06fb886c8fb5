/**
 * What the properties of a configuration are called. The names are those of the configurations of
 * Kafka's Java clients (https://kafka.apache.org/documentation/#configuration, 3.9 and 4.1) and of
 * librdkafka (its CONFIGURATION.md, 2.x); a file written for either is understood.
 */

/** Properties of a schema registry's TLS: those of Kafka's, with this before them. */
export const REGISTRY = "schema.registry.";

/** Those of the schema registry, as Confluent's serializers have them. */
const registryNames = words(`
  schema.registry.url
  basic.auth.credentials.source schema.registry.basic.auth.credentials.source
  basic.auth.user.info schema.registry.basic.auth.user.info
  bearer.auth.credentials.source schema.registry.bearer.auth.credentials.source
  bearer.auth.token schema.registry.bearer.auth.token
  bearer.auth.logical.cluster schema.registry.bearer.auth.logical.cluster
  bearer.auth.identity.pool.id schema.registry.bearer.auth.identity.pool.id
  key.subject.name.strategy value.subject.name.strategy auto.register.schemas
`);

/** Properties that mean something here. */
export const accepted: readonly string[] = withRegistry(words(`
  bootstrap.servers metadata.broker.list client.id client.rack group.id check.crcs security.protocol
  compression.gzip.level compression.level gpdb.kafka.memory.max metadata.max.age.ms
  topic.metadata.refresh.interval.ms
  enable.ssl.certificate.verification ssl.endpoint.identification.algorithm
  ssl.ca.location ssl.ca.pem ssl.truststore.location ssl.truststore.certificates ssl.truststore.type
  ssl.certificate.location ssl.certificate.pem ssl.keystore.location ssl.keystore.certificate.chain
  ssl.keystore.type ssl.key.location ssl.key.pem ssl.keystore.key ssl.key.password
  ssl.enabled.protocols ssl.protocol ssl.keymanager.algorithm ssl.trustmanager.algorithm
  sasl.mechanism sasl.mechanisms sasl.username sasl.password sasl.jaas.config
  sasl.login.callback.handler.class sasl.client.callback.handler.class
  sasl.login.connect.timeout.ms sasl.login.read.timeout.ms
  sasl.login.refresh.window.factor sasl.login.refresh.window.jitter
  sasl.login.refresh.buffer.seconds sasl.login.refresh.min.period.seconds
  sasl.oauthbearer.token.file sasl.oauthbearer.token.endpoint.url sasl.oauthbearer.extensions
  sasl.kerberos.service.name sasl.kerberos.principal sasl.kerberos.keytab
  sasl.oauthbearer.method sasl.oauthbearer.grant.type sasl.oauthbearer.scope
  sasl.oauthbearer.client.id sasl.oauthbearer.client.credentials.client.id
  sasl.oauthbearer.client.secret sasl.oauthbearer.client.credentials.client.secret
  sasl.oauthbearer.header.urlencode sasl.oauthbearer.jwt.retriever.class
  sasl.oauthbearer.jwt.validator.class sasl.oauthbearer.config
  sasl.oauthbearer.metadata.authentication.type
  sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.file
  sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.pem
  sasl.oauthbearer.assertion.private.key.passphrase
  sasl.oauthbearer.assertion.template.file sasl.oauthbearer.assertion.jwt.template.file
  sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.iss
  sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.claim.exp.seconds
  sasl.oauthbearer.assertion.claim.nbf.seconds sasl.oauthbearer.assertion.claim.jti.include
  https.ca.location https.ca.pem
`));

const sslSynonyms: readonly (readonly string[])[] = [
  ["ssl.ca.location", "ssl.ca.pem", "ssl.truststore.location", "ssl.truststore.certificates"],
  [
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.location",
  ],
  ["ssl.key.location", "ssl.key.pem", "ssl.keystore.key", "ssl.keystore.location"],
];

/** Names for one thing. A later one overrides an earlier one. */
export const synonyms: readonly (readonly string[])[] = [
  ["bootstrap.servers", "metadata.broker.list"],
  ["compression.gzip.level", "compression.level"],
  ["metadata.max.age.ms", "topic.metadata.refresh.interval.ms"],
  ["sasl.mechanism", "sasl.mechanisms"],
  ["sasl.username", "sasl.jaas.config"],
  ["sasl.password", "sasl.jaas.config"],
  ["sasl.kerberos.keytab", "sasl.jaas.config"],
  ["sasl.kerberos.principal", "sasl.jaas.config"],
  ["sasl.oauthbearer.token.file", "sasl.oauthbearer.token.endpoint.url"],
  ["sasl.oauthbearer.client.id", "sasl.oauthbearer.client.credentials.client.id"],
  ["sasl.oauthbearer.client.secret", "sasl.oauthbearer.client.credentials.client.secret"],
  ["sasl.oauthbearer.assertion.private.key.file", "sasl.oauthbearer.assertion.private.key.pem"],
  [
    "sasl.oauthbearer.assertion.template.file",
    "sasl.oauthbearer.assertion.jwt.template.file",
  ],
  ["https.ca.location", "https.ca.pem"],
  ...sslSynonyms,
  ...sslSynonyms.map((names) => names.map((name) => REGISTRY + name)),
  ...registryNames.filter((name) => registryNames.includes(REGISTRY + name))
    .map((name) => [name, REGISTRY + name]),
];

/** Blanks at the ends of these may be a part of them; of no other property. */
export const literal: readonly string[] = [
  "sasl.username",
  "sasl.password",
  ...registryNames.filter((name) => name.endsWith("basic.auth.user.info")),
];

const javaClass = "it names a Java class";
const fixedPauses = "the pauses between tries are fixed";
const brokerSide = "the broker checks the token";
const safeCiphers = "the TLS library has a fixed list of safe ones";

const refusedOfKafka: readonly (readonly [string, string])[] = [
  ["ssl.crl.location", "revocation lists are not checked"],
  ["ssl.cipher.suites", safeCiphers],
  ["ssl.curves.list", safeCiphers],
  ["ssl.sigalgs.list", safeCiphers],
  ["ssl.engine.", "keys can only be given as PEM"],
  ["ssl.provider", "it names a provider of Java or OpenSSL, which are not used"],
  ["ssl.secure.random.implementation", javaClass],
  ["ssl.ca.certificate.stores", "Windows certificate stores cannot be read: set ssl.ca.location"],
  ["ssl.keystore.password", "PEM files have no store password: set ssl.key.password"],
  ["ssl.truststore.password", "PEM files of certificates have no password"],
  ["security.providers", javaClass],
  ["sasl.kerberos.principal.to.local.rules", "it is a broker's"],
  ["sasl.login.class", javaClass],
  ["sasl.login.retry.", fixedPauses],
  ["enable.sasl.oauthbearer.unsecure.jwt", "set sasl.oauthbearer.token.file"],
  ["sasl.oauthbearer.sub.claim.name", brokerSide],
  ["sasl.oauthbearer.scope.claim.name", brokerSide],
  ["sasl.oauthbearer.allow.", brokerSide],
  ["sasl.oauthbearer.jwks.", brokerSide],
  ["sasl.oauthbearer.expected.", brokerSide],
  ["sasl.oauthbearer.clock.skew.seconds", brokerSide],
];

const givenToken = "tokens are given, not fetched: set bearer.auth.token";
const byVariable = "set the environment variable HTTPS_PROXY or HTTP_PROXY";

/**
 * Properties of TLS, SASL and logins that cannot be followed: the beginning of their names, and why.
 * To ignore one would weaken or break what it asks for, so none of these families is ignored.
 */
export const refused: readonly (readonly [string, string])[] = [
  ...refusedOfKafka,
  ...refusedOfKafka.filter(([name]) => name.startsWith("ssl."))
    .map(([name, why]) => [REGISTRY + name, why.replaceAll(" ssl.", ` ${REGISTRY}ssl.`)] as const),
  ...["", REGISTRY].flatMap((prefix) => [
    ...["issuer.", "client.", "scope", "sub.", "cache.", "custom."]
      .map((name) => [`${prefix}bearer.auth.${name}`, givenToken] as const),
    [`${prefix}proxy.`, byVariable] as const,
  ]),
];

const tokenHandler = "org.apache.kafka.common.security.oauthbearer";
const mskHandler = "software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler";

/** Properties that ask for what is done anyway, and the values that do; any other is rejected. */
export const fixed: Readonly<Record<string, readonly string[]>> = {
  "ssl.protocol": ["TLS", "TLSv1.3"],
  "ssl.keymanager.algorithm": ["SunX509", "PKIX"],
  "ssl.trustmanager.algorithm": ["PKIX"],
  "sasl.oauthbearer.method": ["default", "oidc"],
  "sasl.oauthbearer.grant.type": [
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
  ],
  "sasl.oauthbearer.jwt.retriever.class": ["Default", "ClientCredentials", "JwtBearer", "File"]
    .map((name) => `${tokenHandler}.${name}JwtRetriever`),
  "sasl.oauthbearer.jwt.validator.class": ["Default", "Client"]
    .map((name) => `${tokenHandler}.${name}JwtValidator`),
  [`${REGISTRY}ssl.protocol`]: ["TLS", "TLSv1.3"],
  [`${REGISTRY}ssl.keymanager.algorithm`]: ["SunX509", "PKIX"],
  [`${REGISTRY}ssl.trustmanager.algorithm`]: ["PKIX"],
  // What Java needs to read a token from a file, to fetch one, and for Amazon MSK.
  "sasl.login.callback.handler.class": [
    `${tokenHandler}.OAuthBearerLoginCallbackHandler`,
    `${tokenHandler}.secured.OAuthBearerLoginCallbackHandler`,
    mskHandler,
  ],
  "sasl.client.callback.handler.class": [
    "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
    mskHandler,
  ],
};

/** What to use instead of a property, for users who set one with -X. */
export const flagsInstead: Readonly<Record<string, string>> = {
  "acks": "--acks",
  "request.required.acks": "--acks",
  "auto.offset.reset": "--fallback and --on-lost",
  "compression.codec": "--codec",
  "compression.type": "--codec",
  "enable.auto.commit": "--commit",
  "auto.commit.enable": "--commit",
  "enable.idempotence": "--no-idempotence",
  "isolation.level": "--isolation",
  "partitioner": "--partitioner",
  "partitioner.class": "--partitioner",
  "request.timeout.ms": "--timeout",
  "socket.timeout.ms": "--timeout",
  "debug": "--verbose",
};

/**
 * The other properties of both: what to do is said by flags, and how by this program itself. In a
 * file they are ignored, because a file is worth most if it serves other programs too. None is of
 * TLS or SASL, see {@link refused}, except for how others renew their Kerberos tickets.
 */
export const ignored: readonly string[] = words(`
  allow.auto.create.topics api.version.fallback.ms api.version.request
  api.version.request.timeout.ms auto.commit.enable auto.commit.interval.ms
  auto.include.jmx.reporter auto.offset.reset batch.num.messages batch.size bootstrap.controllers
  broker.address.family broker.address.ttl broker.version.fallback buffer.memory client.dns.lookup
  compression.codec compression.lz4.level compression.type compression.zstd.level
  connections.max.idle.ms consume.callback.max.messages
  coordinator.query.interval.ms default.api.timeout.ms delivery.report.only.error
  delivery.timeout.ms enable.auto.commit enable.auto.offset.store enable.gapless.guarantee
  enable.idempotence enable.metrics.push enable.partition.eof enable.random.seed
  exclude.internal.topics fetch.error.backoff.ms fetch.max.bytes fetch.max.wait.ms
  fetch.message.max.bytes fetch.min.bytes fetch.wait.max.ms group.instance.id group.protocol
  group.protocol.type group.remote.assignor heartbeat.interval.ms interceptor.classes
  isolation.level key.deserializer key.serializer linger.ms log.connection.close log.queue
  log.thread.name max.block.ms max.in.flight max.in.flight.requests.per.connection
  max.partition.fetch.bytes max.poll.interval.ms max.poll.records max.request.size
  message.copy.max.bytes message.max.bytes message.send.max.retries message.timeout.ms
  metadata.max.idle.ms metadata.recovery.rebootstrap.trigger.ms
  metadata.recovery.strategy metric.reporters metrics.num.samples metrics.recording.level
  metrics.sample.window.ms offset.store.method offset.store.path offset.store.sync.interval.ms
  partition.assignment.strategy partitioner.adaptive.partitioning.enable
  partitioner.availability.timeout.ms partitioner.class partitioner.ignore.keys
  plugin.library.paths produce.offset.report queue.buffering.backpressure.threshold
  queue.buffering.max.kbytes queue.buffering.max.messages queue.buffering.max.ms
  queued.max.messages.kbytes queued.min.messages queuing.strategy receive.buffer.bytes
  receive.message.max.bytes reconnect.backoff.jitter.ms reconnect.backoff.max.ms
  reconnect.backoff.ms request.required.acks request.timeout.ms retry.backoff.max.ms
  retry.backoff.ms send.buffer.bytes session.timeout.ms share.acknowledgement.mode
  socket.blocking.max.ms socket.connection.setup.timeout.max.ms socket.connection.setup.timeout.ms
  socket.keepalive.enable socket.max.fails socket.nagle.disable socket.receive.buffer.bytes
  socket.send.buffer.bytes socket.timeout.ms statistics.interval.ms sticky.partitioning.linger.ms
  topic.blacklist topic.metadata.propagation.max.ms topic.metadata.refresh.fast.cnt
  topic.metadata.refresh.fast.interval.ms
  topic.metadata.refresh.sparse transaction.timeout.ms transaction.two.phase.commit.enable
  transactional.id value.deserializer value.serializer acks debug interceptors partitioner retries
  sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin
  sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor
  avro.reflection.allow.null avro.remove.java.properties
  avro.use.logical.type.converters enum.evolution http.connect.timeout.ms http.read.timeout.ms
  id.compatibility.strict json.fail.invalid.schema key.converter latest.cache.size
  latest.cache.ttl.sec latest.compatibility.strict max.schemas.per.subject normalize.schemas
  reference.subject.name.strategy schema.registry.request.timeout.ms schema.reflection
  specific.avro.reader specific.protobuf.key.type specific.protobuf.value.type use.latest.version
  use.schema.id value.converter
`);

/** Kafka's properties, the registry's, and those of Kafka's TLS for the registry. */
function withRegistry(names: readonly string[]): string[] {
  const tls = names.filter((name) => name.startsWith("ssl.")).map((name) => REGISTRY + name);
  return [...names, ...registryNames, ...tls];
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
