// Counting words with Kafka Streams, each of them exactly once:
//
//   WordCount BOOTSTRAP count TOPIC DIRECTORY   counts the words of the topic's records into TOPIC-counts, and keeps its state in
//                                               the directory; prints a line for every 500 words that this process has counted
//   WordCount BOOTSTRAP create TOPIC            creates TOPIC-counts
//   WordCount BOOTSTRAP feed TOPIC N            writes N records of three words
//   WordCount BOOTSTRAP judge TOPIC N           waits for the counts of N such words, and says whether each one was committed once
//
// Nothing is cached, so that each word has a record of its own in TOPIC-counts: those of a word are 1, 2, 3 and so on, if each
// was counted once and in one transaction with its state.
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
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Produced;

public class WordCount {
    final String bootstrap, topic;

    WordCount(String bootstrap, String topic) {
        this.bootstrap = bootstrap;
        this.topic = topic;
    }

    public static void main(String[] args) throws Exception {
        WordCount program = new WordCount(args[0], args[2]);

        switch (args[1]) {
            case "count" -> program.count(args[3]);
            case "create" -> program.create();
            case "feed" -> program.feed(Integer.parseInt(args[3]));
            case "judge" -> program.judge(Integer.parseInt(args[3]));
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
        try (Admin admin = Admin.create(properties())) {
            admin.createTopics(List.of(new NewTopic(topic + "-counts", 2, (short) 1))).all().get();
        }
    }

    void feed(int records) throws Exception {
        try (var producer = new KafkaProducer<>(properties(), new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < records; i++)
                producer.send(new ProducerRecord<>(topic, i % 3, null, "one" + i % 2 + " two" + i % 5 + " three" + i % 11));
        }
    }

    void count(String directory) throws InterruptedException {
        StreamsBuilder builder = new StreamsBuilder();
        AtomicInteger counted = new AtomicInteger();
        CountDownLatch end = new CountDownLatch(1);

        builder.<String, String>stream(topic)
            .flatMapValues(value -> List.of(value.split(" ")))
            .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
            .count()
            .toStream()
            .peek((word, n) -> {
                if (counted.incrementAndGet() % 500 == 0)
                    System.out.println("counted " + counted.get());
            })
            .to(topic + "-counts", Produced.with(Serdes.String(), Serdes.Long()));
        var streams = new KafkaStreams(builder.build(), properties("application.id", topic, "state.dir", directory,
            "processing.guarantee", "exactly_once_v2", "commit.interval.ms", "100", "statestore.cache.max.bytes", "0", "num.stream.threads", "2",
            "replication.factor", "1", "auto.offset.reset", "earliest", "consumer.session.timeout.ms", "6000", "consumer.heartbeat.interval.ms", "500",
            "default.key.serde", Serdes.StringSerde.class.getName(), "default.value.serde", Serdes.StringSerde.class.getName()));
        streams.setUncaughtExceptionHandler(error -> {
            System.out.println("fails with " + error);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(30));
            end.countDown();
        }));
        streams.start();
        end.await();
    }

    // The counts of each word that are committed, in the order in which they are.
    Map<String, List<Long>> committed(int words) {
        Map<String, List<Long>> counts = new TreeMap<>();
        int count = 0, idle = 0;

        try (var consumer = new KafkaConsumer<>(properties("auto.offset.reset", "earliest", "isolation.level", "read_committed"),
            new StringDeserializer(), new LongDeserializer())) {
            consumer.assign(List.of(new TopicPartition(topic + "-counts", 0), new TopicPartition(topic + "-counts", 1)));
            // when all have come, none may come behind them
            while (idle < (count < words ? 90 : 3)) {
                var records = consumer.poll(Duration.ofSeconds(1));

                idle = records.isEmpty() ? idle + 1 : 0;
                count += records.count();
                records.forEach(record -> counts.computeIfAbsent(record.key(), word -> new ArrayList<>()).add(record.value()));
            }
        }
        return counts;
    }

    void judge(int words) {
        committed(words).forEach((word, counts) -> {
            long wrong = 0;

            for (int i = 0; i < counts.size(); i++)
                wrong += counts.get(i) != i + 1 ? 1 : 0;
            System.out.println(word + " " + counts.size() + (wrong == 0 ? " each once" : ", of which " + wrong + " are wrong"));
        });
    }
}
