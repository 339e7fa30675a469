// What Kafka's own Java client is asked to do:
//
//   Client BOOTSTRAP SCENARIO TOPIC [RECORDS]
//
// README.md says what each scenario is, and how a record is printed.  "create" reads
// lines "TOPIC PARTITIONS OPTION=VALUE..." from standard input and makes these topics; "feed"
// writes as many records as the next line of standard input says; "hold" holds transactions
// open, and does what lines "commit NAME" and "abort NAME" say.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Client {
    static final Duration LONG = Duration.ofSeconds(10);
    static final long[] TIMES = {0, 1, 2, 1700000001000L, 1700000001001L, 1700000002500L, 1700000004000L, 1700000006002L, 1700000007001L};

    final String bootstrap, topic;

    Client(String bootstrap, String topic) {
        this.bootstrap = bootstrap;
        this.topic = topic;
    }

    public static void main(String[] args) throws Exception {
        Client client = new Client(args[0], args.length > 2 ? args[2] : null);

        switch (args[1]) {
            case "create" -> client.create();
            case "metadata" -> client.metadata();
            case "write" -> client.write(Path.of(args[3]));
            case "read" -> client.read();
            case "keys" -> client.keys();
            case "codecs" -> client.codecs();
            case "many" -> client.many();
            case "acks" -> client.acks();
            case "offsets" -> client.offsets();
            case "seek" -> client.seek();
            case "reset" -> client.reset();
            case "append_time" -> client.appendTime();
            case "errors" -> client.errors();
            case "compact" -> client.compact();
            case "wait" -> client.await();
            case "in_transactions" -> client.inTransactions();
            case "hold" -> client.hold();
            case "max_bytes" -> client.maxBytes();
            case "share" -> new Share(args[0], args[2]).run();
            case "feed" -> client.feed();
            default -> throw new IllegalArgumentException(args[1]);
        }
    }

    // ---- transactions ----

    // the values that a consumer of this isolation sees, sorted
    String seen(String isolation) {
        List<String> values = new ArrayList<>();

        try (var consumer = consumer("auto.offset.reset", "earliest", "isolation.level", isolation)) {
            consumer.assign(partitions(consumer));
            consumer.seekToBeginning(List.of());
            for (var records = consumer.poll(LONG); !records.isEmpty(); records = consumer.poll(Duration.ofSeconds(2)))
                records.forEach(record -> values.add(new String(record.value(), StandardCharsets.UTF_8)));
        }
        Collections.sort(values);
        return String.join(" ", values);
    }

    // what a group has committed in the first partition
    String committed(String group) {
        TopicPartition partition = new TopicPartition(topic, 0);

        try (var consumer = consumer("group.id", group)) {
            var offset = consumer.committed(java.util.Set.of(partition)).get(partition);

            return offset == null ? "nothing" : offset.offset() + " " + offset.metadata();
        }
    }

    // a transaction with three records, one in each partition, and an offset of the group
    void transaction(KafkaProducer<byte[], byte[]> producer, String name, long offset, boolean commit) {
        producer.beginTransaction();
        for (int i = 0; i < 3; i++)
            producer.send(new ProducerRecord<>(topic, i, null, bytes(name + i)));
        producer.sendOffsetsToTransaction(
            Map.of(new TopicPartition(topic, 0), new org.apache.kafka.clients.consumer.OffsetAndMetadata(offset, name)),
            new org.apache.kafka.clients.consumer.ConsumerGroupMetadata(topic));
        producer.flush();
        if (commit)
            producer.commitTransaction();
        else
            producer.abortTransaction();
        System.out.println(name + ": " + committed(topic));
    }

    void inTransactions() {
        try (var producer = producer("transactional.id", topic)) {
            producer.initTransactions();
            transaction(producer, "first", 1, true);
            transaction(producer, "aborted", 2, false);
            transaction(producer, "second", 3, true);
            producer.beginTransaction();
            producer.commitTransaction();
            producer.beginTransaction();
            producer.abortTransaction();
            System.out.println("committed: " + seen("read_committed"));

            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, 0, null, bytes("zombie")));
            producer.flush();
            System.out.println("while one is open: " + seen("read_committed"));
            try (var heir = producer("transactional.id", topic)) {
                heir.initTransactions();
                transaction(heir, "heir", 4, true);
            }
            try {
                producer.send(new ProducerRecord<>(topic, 0, null, bytes("late")));
                producer.commitTransaction();
                System.out.println("the zombie has committed");
            } catch (KafkaException error) {
                System.out.println("the zombie: " + (error.getCause() == null ? error : error.getCause()).getClass().getSimpleName());
            }
        }
        System.out.println("at the end: " + seen("read_committed"));
    }

    // a producer whose transactional id ends with the name, and that has begun a transaction with a record in these partitions
    KafkaProducer<byte[], byte[]> holder(String name, int... places) {
        var producer = producer("transactional.id", topic + "-" + name);

        producer.initTransactions();
        if (places.length == 0)
            return producer;
        producer.beginTransaction();
        for (int place : places)
            producer.send(new ProducerRecord<>(topic, place, null, bytes(name)));
        producer.flush();
        return producer;
    }

    // transactional ids in each state, for administrators to look at; then their ends, as they are asked for
    void hold() throws Exception {
        Map<String, KafkaProducer<byte[], byte[]>> held = new TreeMap<>();

        held.put("open", holder("open", 0, 2));
        held.put("doomed", holder("doomed", 1));
        held.put("committed", holder("committed", 2));
        held.put("aborted", holder("aborted", 2));
        held.put("empty", holder("empty"));
        held.get("committed").commitTransaction();
        held.get("aborted").abortTransaction();
        try (var plain = producer()) {
            plain.send(new ProducerRecord<>(topic, 0, null, bytes("of no transaction"))).get();
        }
        System.out.println("ready");
        for (String line : (Iterable<String>) new BufferedReader(new InputStreamReader(System.in)).lines()::iterator) {
            var producer = held.get(line.replaceFirst(".* ", ""));

            attempt(line, line.startsWith("commit") ? producer::commitTransaction : producer::abortTransaction);
        }
        // those that are fenced have nothing to wait for
        held.values().forEach(producer -> producer.close(Duration.ZERO));
    }

    // ---- what the scenarios share ----

    KafkaProducer<byte[], byte[]> producer(String... settings) {
        return new KafkaProducer<>(properties(settings), new ByteArraySerializer(), new ByteArraySerializer());
    }

    KafkaConsumer<byte[], byte[]> consumer(String... settings) {
        return new KafkaConsumer<>(properties(settings), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    // settings by name and value, in turn
    Properties properties(String... settings) {
        Properties properties = new Properties();

        properties.put("bootstrap.servers", bootstrap);
        for (int i = 0; i < settings.length; i += 2)
            properties.put(settings[i], settings[i + 1]);
        return properties;
    }

    static byte[] bytes(String text) {
        if (text != null && text.startsWith("\\x"))
            return HexFormat.of().parseHex(text.substring(2));
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        StringBuilder text = new StringBuilder("\"");

        if (bytes == null)
            return "null";
        for (byte b : bytes)
            text.append(b >= ' ' && b < 127 && b != '"' && b != '\\' ? String.valueOf((char) b) : String.format("\\x%02x", b));
        return text.append('"').toString();
    }

    static String line(ConsumerRecord<byte[], byte[]> record) {
        List<String> headers = new ArrayList<>();

        for (Header header : record.headers())
            headers.add(text(bytes(header.key())) + "=" + text(header.value()));
        return "record " + record.partition() + " " + record.offset() + " " + record.timestamp() + " " + text(record.key()) + " "
            + text(record.value()) + " " + (headers.isEmpty() ? "-" : String.join(",", headers));
    }

    List<TopicPartition> partitions(KafkaConsumer<?, ?> consumer) {
        return consumer.partitionsFor(topic).stream().map(p -> new TopicPartition(topic, p.partition()))
            .sorted((a, b) -> a.partition() - b.partition()).toList();
    }

    // all records up to the end as it is now, partition by partition
    List<ConsumerRecord<byte[], byte[]>> all() {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();

        try (var consumer = consumer("auto.offset.reset", "earliest")) {
            for (TopicPartition partition : partitions(consumer)) {
                long end = consumer.endOffsets(List.of(partition)).get(partition);

                consumer.assign(List.of(partition));
                consumer.seekToBeginning(List.of(partition));
                while (consumer.position(partition) < end)
                    records.addAll(consumer.poll(LONG).records(partition));
            }
        }
        return records;
    }

    // count and checksum of each partition's values
    void digests() throws Exception {
        Map<Integer, MessageDigest> digests = new TreeMap<>();
        Map<Integer, Integer> counts = new TreeMap<>();

        for (ConsumerRecord<byte[], byte[]> record : all()) {
            if (!digests.containsKey(record.partition()))
                digests.put(record.partition(), MessageDigest.getInstance("MD5"));
            digests.get(record.partition()).update(record.value());
            counts.merge(record.partition(), 1, Integer::sum);
        }
        for (int partition : digests.keySet())
            System.out.println("partition " + partition + " records " + counts.get(partition) + " md5 " + HexFormat.of().formatHex(digests.get(partition).digest()));
    }

    interface Attempt {
        void run() throws Exception;
    }

    // what an attempt fails with, by its class, as messages are not a contract
    static void attempt(String what, Attempt attempt) {
        try {
            attempt.run();
            System.out.println(what + ": no error");
        } catch (Exception e) {
            Throwable cause = e instanceof ExecutionException ? e.getCause() : e;

            System.out.println(what + ": " + cause.getClass().getSimpleName());
        }
    }

    // ---- the scenarios ----

    void create() throws Exception {
        List<NewTopic> topics = new ArrayList<>();

        for (String line : new BufferedReader(new InputStreamReader(System.in)).lines().toList()) {
            String[] words = line.split(" ");
            Map<String, String> options = new HashMap<>();

            for (int i = 2; i < words.length; i++)
                options.put(words[i].replaceFirst("=.*", ""), words[i].replaceFirst("[^=]*=", ""));
            topics.add(new NewTopic(words[0], Integer.parseInt(words[1]), (short) 1).configs(options));
        }
        try (Admin admin = Admin.create(properties())) {
            admin.createTopics(topics).all().get();
        }
    }

    void metadata() throws Exception {
        try (Admin admin = Admin.create(properties())) {
            var description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);

            System.out.println("nodes " + admin.describeCluster().nodes().get().size());
            System.out.println("a controller " + (admin.describeCluster().controller().get() != null));
            System.out.println("a cluster id " + !admin.describeCluster().clusterId().get().isEmpty());
            System.out.println("topic " + description.name() + " internal " + description.isInternal());
            System.out.println("listed " + admin.listTopics().names().get().contains(topic));
            for (TopicPartitionInfo partition : description.partitions())
                System.out.println("partition " + partition.partition() + " a leader " + (partition.leader() != null)
                    + " replicas " + partition.replicas().size() + " in sync " + partition.isr().size());
            // a topic by the id that has just been told
            System.out.println("by id " + admin.describeTopics(org.apache.kafka.common.TopicCollection.ofTopicIds(List.of(description.topicId())))
                .allTopicIds().get().get(description.topicId()).name());
            attempt("an unknown topic", () -> admin.describeTopics(List.of("kafka_no_such_topic")).allTopicNames().get());
        }
    }

    void write(Path file) throws Exception {
        ObjectMapper mapper = new ObjectMapper();

        try (var producer = producer()) {
            for (String json : Files.readAllLines(file)) {
                JsonNode node = mapper.readTree(json);
                List<Header> headers = new ArrayList<>();

                for (JsonNode header : node.get("headers"))
                    headers.add(new RecordHeader(header.get(0).textValue(), bytes(header.get(1).textValue())));
                RecordMetadata metadata = producer.send(new ProducerRecord<>(topic, node.get("partition").intValue(), node.get("timestamp").longValue(),
                    bytes(node.get("key").textValue()), bytes(node.get("value").textValue()), headers)).get();
                System.out.println("acknowledged " + metadata.partition() + " " + metadata.offset() + " " + metadata.timestamp());
            }
        }
        read();
    }

    void read() {
        all().forEach(record -> System.out.println(line(record)));
    }

    void keys() throws Exception {
        int count = 60;
        String[] outcomes = new String[count];

        try (var producer = producer("linger.ms", "20")) {
            for (int i = 0; i < count; i++) {
                int n = i;
                // keys of growing length: the hash treats the rest behind each four bytes on its own
                byte[] key = bytes("key" + "x".repeat(n % 9) + n);

                producer.send(new ProducerRecord<>(topic, null, 1700000000000L + n, key, bytes("value " + n)), (metadata, error) ->
                    outcomes[n] = text(key) + (error != null ? " " + error.getClass().getSimpleName() : " " + metadata.partition() + " " + metadata.offset()));
            }
        }
        for (String outcome : outcomes)
            System.out.println("key " + outcome);
        read();
    }

    void codecs() throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd"))
            try (var producer = producer("compression.type", codec, "linger.ms", "1000", "batch.size", "100000")) {
                for (int i = 0; i < 100; i++)
                    producer.send(new ProducerRecord<>(topic, 0, 1700000000000L + i, bytes("key " + i), bytes(codec + " " + i + " text".repeat(50))));
                producer.flush();
            }
        digests();
    }

    void many() throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();

        try (var producer = producer("linger.ms", "5")) {
            for (int i = 0; i < 50000; i++)
                sent.add(producer.send(new ProducerRecord<>(topic, bytes("key " + i % 1000), bytes("value " + i + " ".repeat(i % 200)))));
        }
        for (Future<RecordMetadata> one : sent)
            one.get();
        digests();
    }

    void acks() throws Exception {
        for (String acks : List.of("0", "1", "all"))
            try (var producer = producer("acks", acks, "enable.idempotence", "false")) {
                for (int i = 0; i < 5; i++) {
                    RecordMetadata metadata = producer.send(new ProducerRecord<>(topic, 0, 1700000000000L + i, null, bytes("acks " + acks + " " + i))).get();

                    System.out.println("acks " + acks + " an offset " + metadata.hasOffset());
                }
            }
        read();
    }

    void offsets() throws Exception {
        try (var consumer = consumer(); Admin admin = Admin.create(properties())) {
            for (TopicPartition partition : partitions(consumer)) {
                System.out.println("partition " + partition.partition() + " begins " + consumer.beginningOffsets(List.of(partition)).get(partition)
                    + " ends " + consumer.endOffsets(List.of(partition)).get(partition));
                for (long time : TIMES) {
                    OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(partition, time)).get(partition);

                    System.out.println("at " + time + ": " + (found == null ? "none" : found.offset() + " of " + found.timestamp()));
                }
                for (OffsetSpec spec : List.of(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp(), OffsetSpec.forTimestamp(1700000002500L))) {
                    ListOffsetsResultInfo found = admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get();

                    System.out.println(spec.getClass().getSimpleName() + ": " + found.offset() + " of " + found.timestamp());
                }
            }
        }
    }

    void seek() {
        try (var consumer = consumer("max.poll.records", "1")) {
            TopicPartition partition = new TopicPartition(topic, 0);

            consumer.assign(List.of(partition));
            for (long offset : new long[] {4, 0, 3, 1}) {
                consumer.seek(partition, offset);
                System.out.println("seek " + offset + ": " + line(consumer.poll(LONG).records(partition).get(0)));
            }
            consumer.seekToEnd(List.of(partition));
            System.out.println("end " + consumer.position(partition) + " records " + consumer.poll(Duration.ofMillis(300)).count());
            consumer.pause(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            System.out.println("paused " + consumer.poll(Duration.ofMillis(300)).count());
            consumer.resume(List.of(partition));
            System.out.println("resumed " + line(consumer.poll(LONG).records(partition).get(0)));
            System.out.println("lag " + consumer.currentLag(partition).isPresent());
        }
    }

    void reset() {
        TopicPartition partition = new TopicPartition(topic, 0);

        for (String reset : List.of("none", "earliest", "latest"))
            try (var consumer = consumer("auto.offset.reset", reset)) {
                consumer.assign(List.of(partition));
                consumer.seek(partition, 1000);
                try {
                    System.out.println(reset + ": records " + consumer.poll(Duration.ofSeconds(reset.equals("earliest") ? 10 : 1)).count()
                        + " position " + consumer.position(partition));
                } catch (OffsetOutOfRangeException e) {
                    System.out.println(reset + ": " + e.getClass().getSimpleName() + " " + e.offsetOutOfRangePartitions());
                }
            }
    }

    void appendTime() throws Exception {
        long before = System.currentTimeMillis();

        try (var producer = producer("compression.type", "lz4")) {
            for (int i = 0; i < 3; i++) {
                RecordMetadata metadata = producer.send(new ProducerRecord<>(topic, 0, 1000L, null, bytes("value " + i))).get();

                System.out.println("acknowledged with the broker's time " + (metadata.timestamp() >= before - 1000));
            }
        }
        for (ConsumerRecord<byte[], byte[]> record : all())
            System.out.println(record.offset() + " " + record.timestampType() + " now " + (record.timestamp() >= before - 1000) + " " + text(record.value()));
    }

    void errors() {
        try (var producer = producer("max.block.ms", "2000", "delivery.timeout.ms", "5000", "request.timeout.ms", "4000", "linger.ms", "0", "max.request.size", "10000000")) {
            attempt("an unknown topic", () -> producer.send(new ProducerRecord<>("kafka_no_such_topic", bytes("v"))).get());
            attempt("an impossible name", () -> producer.send(new ProducerRecord<>("no such topic!", bytes("v"))).get());
            attempt("a partition that is not there", () -> producer.send(new ProducerRecord<>(topic, 7, null, bytes("v"))).get());
            attempt("a record that is too large", () -> producer.send(new ProducerRecord<>(topic, 0, null, new byte[200000])).get());
            attempt("a timestamp in the future", () -> producer.send(new ProducerRecord<>(topic, 0, System.currentTimeMillis() + 1000000000L, null, bytes("v"))).get());
            // the producer goes on after all of that
            attempt("a good record", () -> producer.send(new ProducerRecord<>(topic, 0, 1700000000000L, null, bytes("good"))).get());
        }
        read();
        try (var consumer = consumer("default.api.timeout.ms", "2000")) {
            attempt("offsets of an unknown topic", () -> consumer.endOffsets(List.of(new TopicPartition("kafka_no_such_topic", 0))));
            attempt("partitions of an unknown topic", () -> System.out.println("partitions " + consumer.partitionsFor("kafka_no_such_topic")));
        }
    }

    // the topic is compacted
    void compact() {
        try (var producer = producer()) {
            attempt("a record with a key", () -> producer.send(new ProducerRecord<>(topic, 0, 1700000000000L, bytes("k"), bytes("v"))).get());
            attempt("a record without a key", () -> producer.send(new ProducerRecord<>(topic, 0, 1700000000000L, null, bytes("v"))).get());
            attempt("a tombstone", () -> producer.send(new ProducerRecord<>(topic, 0, 1700000000000L, bytes("k"), (byte[]) null)).get());
        }
        read();
    }

    // a record reaches a consumer that waits for it
    void await() throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);

        try (var consumer = consumer("fetch.max.wait.ms", "25000", "request.timeout.ms", "40000"); var producer = producer()) {
            consumer.assign(List.of(partition));
            consumer.seekToEnd(List.of(partition));
            // a seek is carried out when somebody asks where it leads
            consumer.position(partition);
            System.out.println("records " + consumer.poll(Duration.ofMillis(500)).count());
            for (int i = 0; i < 3; i++) {
                long began = System.currentTimeMillis();

                producer.send(new ProducerRecord<>(topic, 0, 1700000000000L, null, bytes("awaited " + i))).get();
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(20)))
                    System.out.println(line(record) + " soon " + (System.currentTimeMillis() - began < 5000));
            }
        }
    }

    // a consumer that takes less than one batch gets on nevertheless
    void maxBytes() throws Exception {
        try (var producer = producer("linger.ms", "1000", "batch.size", "50000")) {
            for (int i = 0; i < 300; i++)
                producer.send(new ProducerRecord<>(topic, i % 3, 1700000000000L + i, null, bytes("value " + i + " ".repeat(200))));
        }
        try (var consumer = consumer("fetch.max.bytes", "1", "max.partition.fetch.bytes", "1")) {
            List<TopicPartition> partitions = partitions(consumer);
            Map<Integer, Integer> counts = new TreeMap<>();

            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            for (int left = 300; left > 0; )
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(LONG)) {
                    counts.merge(record.partition(), 1, Integer::sum);
                    left--;
                }
            System.out.println("records " + counts);
        }
    }

    // Records to all partitions in turn, whose values are their offsets, over two seconds for each line.
    void feed() throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        long sent = 0;

        try (var producer = producer("linger.ms", "5"); var consumer = consumer()) {
            int partitions = partitions(consumer).size();

            for (String line; (line = lines.readLine()) != null; ) {
                int count = Integer.parseInt(line);

                for (int i = 0; i < count; i++, sent++) {
                    producer.send(new ProducerRecord<>(topic, (int) (sent % partitions), 1700000000000L, null, bytes("" + sent / partitions)));
                    if (i % (count / 20 + 1) == 0)
                        Thread.sleep(100);
                }
                producer.flush();
            }
        }
    }
}
