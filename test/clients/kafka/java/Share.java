// Share groups: what Kafka's own Java client is asked to do with them, for the scenario "share" of Client.
//
// Both brokers let a new group begin at the end of a topic, so a member first waits until it gets a record that is written for that.
// Offsets are not printed, since it is not told how many of those there were.
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

class Share {
    static final String STRINGS = "org.apache.kafka.common.serialization.String";

    final String bootstrap, topic, group;

    Share(String bootstrap, String topic) {
        this.bootstrap = bootstrap;
        this.topic = topic;
        this.group = topic + "_workers";
    }

    Properties properties(String... pairs) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        for (int i = 0; i < pairs.length; i += 2)
            properties.put(pairs[i], pairs[i + 1]);
        return properties;
    }

    KafkaShareConsumer<String, String> member(String mode) {
        KafkaShareConsumer<String, String> member = new KafkaShareConsumer<>(properties("group.id", group,
            "key.deserializer", STRINGS + "Deserializer", "value.deserializer", STRINGS + "Deserializer",
            "share.acknowledgement.mode", mode));
        member.subscribe(List.of(topic));
        return member;
    }

    // Records until there are so many; with "accept" each is accepted at once.
    List<ConsumerRecord<String, String>> poll(KafkaShareConsumer<String, String> member, int wanted, boolean accept) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        for (int i = 0; i < 100 && records.size() < wanted; i++)
            for (ConsumerRecord<String, String> record : member.poll(Duration.ofMillis(200))) {
                records.add(record);
                if (accept)
                    member.acknowledge(record, AcknowledgeType.ACCEPT);
            }
        return records;
    }

    String text(List<ConsumerRecord<String, String>> records) {
        return records.stream().map(r -> r.value() + " delivery " + r.deliveryCount().orElse((short) 0)).sorted()
            .collect(Collectors.joining(", "));
    }

    String commit(KafkaShareConsumer<String, String> member) {
        return member.commitSync().values().stream().map(e -> e.map(x -> x.getClass().getSimpleName()).orElse("done"))
            .collect(Collectors.joining(", "));
    }

    void write(KafkaProducer<String, String> producer, int first, int last) {
        IntStream.rangeClosed(first, last).forEach(i -> producer.send(new ProducerRecord<>(topic, 0, "k", "v" + i)));
        producer.flush();
    }

    // Until the group has begun.
    void begin(KafkaProducer<String, String> producer, KafkaShareConsumer<String, String> member) {
        boolean begun = false;
        for (int i = 0; i < 100; i++) {
            if (!begun) {
                producer.send(new ProducerRecord<>(topic, 0, "k", "begin"));
                producer.flush();
            }
            var records = member.poll(Duration.ofMillis(200));
            records.forEach(r -> member.acknowledge(r, AcknowledgeType.ACCEPT));
            if (begun && records.isEmpty())
                return;
            begun |= !records.isEmpty();
        }
        throw new IllegalStateException("the group does not begin");
    }

    void run() throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties(
                 "key.serializer", STRINGS + "Serializer", "value.serializer", STRINGS + "Serializer"));
             Admin admin = Admin.create(properties())) {
            try (KafkaShareConsumer<String, String> member = member("explicit")) {
                begin(producer, member);
                write(producer, 0, 9);
                List<ConsumerRecord<String, String>> records = poll(member, 10, false);
                System.out.println("first: " + text(records));
                for (ConsumerRecord<String, String> record : records) {
                    int i = Integer.parseInt(record.value().substring(1));
                    member.acknowledge(record, i < 4 || i == 8 ? AcknowledgeType.ACCEPT : i < 7 ? AcknowledgeType.RELEASE :
                        i == 7 ? AcknowledgeType.REJECT : AcknowledgeType.RENEW);
                }
                System.out.println("acknowledged: " + commit(member));
                System.out.println("lock: " + member.acquisitionLockTimeoutMs().orElse(-1));
                System.out.println("again: " + text(poll(member, 4, true)));
                System.out.println("acknowledged: " + commit(member));
                System.out.println("members: " + admin.describeShareGroups(List.of(group)).all().get().get(group).members().size());
            }
            try (KafkaShareConsumer<String, String> member = member("implicit")) {
                write(producer, 10, 14);
                System.out.println("implicit: " + text(poll(member, 5, false)));
                System.out.println("acknowledged: " + commit(member));
            }
            admin.listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec())).partitionsToOffsetInfo(group).get()
                .forEach((partition, info) -> System.out.println("lag: " + info.lag().orElse(-1L)));
            admin.deleteShareGroups(List.of(group)).all().get();
            System.out.println("deleted: " + admin.listGroups().all().get().stream().noneMatch(g -> g.groupId().equals(group)));
        }
    }
}
