// What the applications of Kafka Streams here have in common: they are killed at random, and each of their results is to be committed once.
//
//   PROGRAM BOOTSTRAP create TOPIC                            creates the topics besides TOPIC
//   PROGRAM BOOTSTRAP run TOPIC DIRECTORY [SETTING VALUE]...  runs, and keeps its state in the directory; prints a line for every 500
//                                                             results that this process has made
//   PROGRAM BOOTSTRAP feed TOPIC FROM N                       writes N records, from that one on
//   PROGRAM BOOTSTRAP judge TOPIC N                           waits for N results, and says whether each one was committed once
//
// A result is a record in TOPIC-results.  Nothing is cached, so each change of a count has one: those of a key are 1, 2, 3 and so
// on, if each record was counted once, and in one transaction with the state.  What stands behind the count is told as it is in the
// last one.
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.KStream;

abstract class Application {
    final String bootstrap, topic;
    final AtomicInteger made = new AtomicInteger();

    Application(String[] args) {
        bootstrap = args[0];
        topic = args[2];
    }

    // the record of that number
    abstract ProducerRecord<String, String> record(int i);

    // What is computed: "COUNT" or "COUNT AND MORE" of each key.
    abstract KStream<String, String> results(StreamsBuilder builder);

    // topics of its own besides the results, and records that are there before it begins
    List<NewTopic> topics() { return List.of(); }
    List<ProducerRecord<String, String>> before() { return List.of(); }

    void carryOut(String[] args) throws Exception {
        switch (args[1]) {
            case "create" -> create();
            case "run" -> run(args);
            case "feed" -> feed(Integer.parseInt(args[3]), Integer.parseInt(args[4]));
            case "judge" -> judge(Integer.parseInt(args[3]));
            default -> throw new IllegalArgumentException(args[1]);
        }
    }

    Properties properties(String... settings) {
        Properties properties = new Properties();

        properties.put("bootstrap.servers", bootstrap);
        for (int i = 0; i < settings.length; i += 2)
            properties.put(settings[i], settings[i + 1]);
        return properties;
    }

    void create() throws Exception {
        List<NewTopic> all = new ArrayList<>(topics());

        all.add(new NewTopic(topic + "-results", 2, (short) 1));
        try (Admin admin = Admin.create(properties())) {
            admin.createTopics(all).all().get();
        }
        send(before());
    }

    void send(List<ProducerRecord<String, String>> records) throws Exception {
        try (var producer = new KafkaProducer<>(properties("linger.ms", "5"), new StringSerializer(), new StringSerializer())) {
            var sent = records.stream().map(producer::send).toList();

            for (var one : sent)
                one.get();
        }
    }

    void feed(int from, int count) throws Exception {
        List<ProducerRecord<String, String>> records = new ArrayList<>();

        for (int i = from; i < from + count; i++)
            records.add(record(i));
        send(records);
    }

    void run(String[] args) throws InterruptedException {
        StreamsBuilder builder = new StreamsBuilder();
        CountDownLatch end = new CountDownLatch(1);
        Properties settings = properties("application.id", topic, "state.dir", args[3],
            "processing.guarantee", "exactly_once_v2", "commit.interval.ms", "100", "statestore.cache.max.bytes", "0", "num.stream.threads", "2",
            "replication.factor", "1", "auto.offset.reset", "earliest", "consumer.session.timeout.ms", "6000", "consumer.heartbeat.interval.ms", "500",
            "default.key.serde", Serdes.StringSerde.class.getName(), "default.value.serde", Serdes.StringSerde.class.getName());

        for (int i = 4; i < args.length; i += 2)
            settings.put(args[i], args[i + 1]);
        results(builder).peek((key, value) -> {
            if (made.incrementAndGet() % 500 == 0)
                System.out.println("made " + made.get());
        }).to(topic + "-results");
        var streams = new KafkaStreams(builder.build(), settings);
        streams.setUncaughtExceptionHandler(error -> {
            System.out.println("fails with " + error);
            end.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(30));
            end.countDown();
        }));
        streams.start();
        end.await();
    }

    // The results of each key that are committed, in the order in which they are.
    Map<String, List<String>> committed(int expected) {
        Map<String, List<String>> results = new TreeMap<>();
        int count = 0, idle = 0;

        try (var consumer = new KafkaConsumer<>(properties("auto.offset.reset", "earliest", "isolation.level", "read_committed"),
            new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(new TopicPartition(topic + "-results", 0), new TopicPartition(topic + "-results", 1)));
            // when all have come, none may come behind them
            while (idle < (count < expected ? 90 : 3)) {
                var records = consumer.poll(Duration.ofSeconds(1));

                idle = records.isEmpty() ? idle + 1 : 0;
                count += records.count();
                records.forEach(record -> results.computeIfAbsent(record.key(), key -> new ArrayList<>()).add(record.value()));
            }
        }
        return results;
    }

    void judge(int expected) {
        committed(expected).forEach((key, results) -> {
            long wrong = 0;

            for (int i = 0; i < results.size(); i++)
                wrong += results.get(i).split(" ")[0].equals("" + (i + 1)) ? 0 : 1;
            System.out.println(key + " " + results.get(results.size() - 1) + (wrong == 0 ? " each once" : ", of which " + wrong + " are wrong"));
        });
    }
}
