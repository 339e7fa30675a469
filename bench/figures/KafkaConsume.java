// Reads so many records from all partitions of a topic, and prints the milliseconds that it took from the
// first record on:
//
//   java -cp ... KafkaConsume.java BOOTSTRAP TOPIC COUNT
//
// It assigns the partitions itself, where ConsumerPerformance joins a group.
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class KafkaConsume {
    public static void main(String[] args) {
        Properties properties = new Properties();
        int count = Integer.parseInt(args[2]), seen = 0;
        long began = 0;

        properties.put("bootstrap.servers", args[0]);
        try (var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(args[1]).stream().map(p -> new TopicPartition(args[1], p.partition())).toList();

            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (seen < count) {
                int polled = consumer.poll(Duration.ofSeconds(10)).count();

                if (polled == 0)
                    throw new IllegalStateException("no more than " + seen + " records came");
                if (seen == 0)
                    began = System.nanoTime();
                seen += polled;
            }
        }
        System.out.printf("%.3f%n", (System.nanoTime() - began) / 1e6);
    }
}
