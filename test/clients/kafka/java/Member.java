// Kafka's own Java client as a member of a group:
//
//   Member BOOTSTRAP TOPIC GROUP NAME KIND
//
// KIND is an assignor of the classic protocol, "range", "roundrobin" or "cooperative", or the
// protocol "consumer".  README.md says what a member prints.  It leaves the group at SIGTERM.
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

public class Member implements ConsumerRebalanceListener {
    static final Map<String, String> ASSIGNORS = Map.of("range", "RangeAssignor", "roundrobin", "RoundRobinAssignor", "cooperative", "CooperativeStickyAssignor");

    final TreeSet<Integer> assigned = new TreeSet<>();
    // written out before the next poll, which commits what is in it
    final StringBuilder said = new StringBuilder();

    public static void main(String[] args) throws Exception {
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings(args[0], args[2], args[3], args[4]));
        Thread main = Thread.currentThread();

        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            consumer.wakeup();
            try {
                main.join();
            } catch (InterruptedException e) {
                // it ends without having left
            }
        }));
        new Member().consume(consumer, args[1]);
    }

    static Properties settings(String bootstrap, String group, String name, String kind) {
        Properties settings = new Properties();

        settings.putAll(Map.of("bootstrap.servers", bootstrap, "group.id", group, "client.id", name, "auto.offset.reset", "earliest",
            "auto.commit.interval.ms", "200", "key.deserializer", StringDeserializer.class, "value.deserializer", StringDeserializer.class));
        if (kind.equals("consumer"))
            settings.put("group.protocol", "consumer");
        else
            settings.putAll(Map.of("group.protocol", "classic", "session.timeout.ms", "6000", "heartbeat.interval.ms", "500",
                "partition.assignment.strategy", "org.apache.kafka.clients.consumer." + ASSIGNORS.get(kind)));
        return settings;
    }

    void consume(KafkaConsumer<String, String> consumer, String topic) {
        try {
            consumer.subscribe(List.of(topic), this);
            while (true) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200)))
                    said.append("record ").append(record.partition()).append(' ').append(record.offset()).append(' ').append(record.value()).append('\n');
                write();
            }
        } catch (WakeupException e) {
            consumer.close();
        }
        write();
    }

    void write() {
        System.out.print(said);
        System.out.flush();
        said.setLength(0);
    }

    void tell() {
        said.append(("assigned " + assigned.stream().map(String::valueOf).collect(Collectors.joining(" "))).trim()).append('\n');
        write();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> assigned.add(partition.partition()));
        tell();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> assigned.remove(partition.partition()));
        tell();
    }
}
