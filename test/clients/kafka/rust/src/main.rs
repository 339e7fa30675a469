//! rskafka, a client in Rust without C code and without groups.
//!
//!     client BOOTSTRAP SCENARIO TOPIC [RECORDS]
//!
//! README.md says what each scenario is.
use chrono::{DateTime, TimeZone, Utc};
use md5::{Digest, Md5};
use rskafka::client::partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::{Record, RecordAndOffset};
use std::collections::BTreeMap;

const TIMES: [i64; 9] = [
    0, 1, 2, 1700000001000, 1700000001001, 1700000002500, 1700000004000, 1700000006002, 1700000007001,
];
const CODECS: [(&str, Compression); 5] = [
    ("none", Compression::NoCompression),
    ("gzip", Compression::Gzip),
    ("snappy", Compression::Snappy),
    ("lz4", Compression::Lz4),
    ("zstd", Compression::Zstd),
];

type Failure = Box<dyn std::error::Error>;

fn at(milliseconds: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(milliseconds).unwrap()
}

fn bytes(value: &serde_json::Value) -> Option<Vec<u8>> {
    let text = value.as_str()?;
    Some(match text.strip_prefix("\\x") {
        Some(hex) => (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect(),
        None => text.as_bytes().to_vec(),
    })
}

fn text(data: Option<&[u8]>) -> String {
    let Some(data) = data else { return "null".into() };
    let plain = data.iter().map(|&b| match b {
        b'"' | b'\\' => format!("\\x{b:02x}"),
        b' '..=b'~' => (b as char).to_string(),
        _ => format!("\\x{b:02x}"),
    });
    format!("\"{}\"", plain.collect::<String>())
}

fn print(partition: i32, found: &RecordAndOffset) {
    let record = &found.record;
    let headers: Vec<_> =
        record.headers.iter().map(|(name, value)| format!("{}={}", text(Some(name.as_bytes())), text(Some(value)))).collect();
    println!(
        "record {partition} {} {} {} {} {}",
        found.offset,
        record.timestamp.timestamp_millis(),
        text(record.key.as_deref()),
        text(record.value.as_deref()),
        if headers.is_empty() { "-".into() } else { headers.join(",") }
    );
}

fn record(timestamp: i64, key: Option<Vec<u8>>, value: Option<Vec<u8>>) -> Record {
    Record { key, value, headers: BTreeMap::new(), timestamp: at(timestamp) }
}

struct Scenario {
    client: Client,
    topic: String,
}

impl Scenario {
    async fn partition(&self, topic: &str, partition: i32) -> Result<PartitionClient, Failure> {
        Ok(self.client.partition_client(topic, partition, UnknownTopicHandling::Error).await?)
    }

    async fn partitions(&self) -> Result<Vec<i32>, Failure> {
        let topics = self.client.list_topics().await?;
        let topic = topics.into_iter().find(|topic| topic.name == self.topic).ok_or("the topic is not listed")?;
        Ok(topic.partitions.into_iter().collect())
    }

    /// All records of a partition up to the end as it is now.
    async fn all(&self, partition: i32) -> Result<Vec<RecordAndOffset>, Failure> {
        let mut all = vec![];
        let client = self.partition(&self.topic, partition).await?;
        let end = client.get_offset(OffsetAt::Latest).await?;
        let mut offset = client.get_offset(OffsetAt::Earliest).await?;
        while offset < end {
            let (records, high_watermark) = client.fetch_records(offset, 1..1_000_000, 1000).await?;
            // the end may come behind offsets that have no records
            offset = records.last().map_or(high_watermark, |last| last.offset + 1);
            all.extend(records);
        }
        Ok(all)
    }

    /// A header without a value is an error to the library, so that it cannot read such a partition.
    async fn read(&self) -> Result<(), Failure> {
        for partition in self.partitions().await? {
            match self.all(partition).await {
                Ok(records) => records.iter().for_each(|found| print(partition, found)),
                Err(error) => println!("partition {partition} cannot be read: {error}"),
            }
        }
        Ok(())
    }

    async fn metadata(&self) -> Result<(), Failure> {
        println!("partitions {:?}", self.partitions().await?);
        println!("an unknown topic: {}", self.partition("kafka_no_such_topic", 0).await.is_err());
        Ok(())
    }

    /// A header has a value here, and a name occurs once.
    async fn write(&self, path: &str) -> Result<(), Failure> {
        for line in std::fs::read_to_string(path)?.lines() {
            let json: serde_json::Value = serde_json::from_str(line)?;
            let mut record = record(json["timestamp"].as_i64().unwrap(), bytes(&json["key"]), bytes(&json["value"]));
            let headers = json["headers"].as_array().unwrap();
            for header in headers {
                if let Some(value) = bytes(&header[1]) {
                    record.headers.insert(header[0].as_str().unwrap().into(), value);
                }
            }
            if record.headers.len() < headers.len() {
                println!("cannot be said: {}", text(record.value.as_deref()));
                continue;
            }
            let partition = json["partition"].as_i64().unwrap() as i32;
            let sent = self.partition(&self.topic, partition).await?.produce(vec![record], Compression::NoCompression).await?;
            println!("acknowledged {partition} {sent:?}");
        }
        self.read().await
    }

    async fn codecs(&self) -> Result<(), Failure> {
        let client = self.partition(&self.topic, 0).await?;
        for (name, codec) in CODECS {
            let records = (0..100).map(|n| {
                let value = format!("{name} {n}{}", " text".repeat(50));
                record(1700000000000 + n, Some(format!("key {n}").into()), Some(value.into()))
            });
            client.produce(records.collect(), codec).await?;
        }
        let (mut digest, all) = (Md5::new(), self.all(0).await?);
        all.iter().for_each(|found| digest.update(found.record.value.as_ref().unwrap()));
        let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        println!("partition 0 records {} md5 {digest}", all.len());
        Ok(())
    }

    async fn offsets(&self) -> Result<(), Failure> {
        for partition in self.partitions().await? {
            let client = self.partition(&self.topic, partition).await?;
            let (earliest, latest) = (client.get_offset(OffsetAt::Earliest).await?, client.get_offset(OffsetAt::Latest).await?);
            println!("partition {partition} begins {earliest} ends {latest}");
            for time in TIMES {
                println!("at {time}: {:?}", client.get_offset(OffsetAt::Timestamp(at(time))).await);
            }
        }
        Ok(())
    }

    async fn seek(&self) -> Result<(), Failure> {
        let client = self.partition(&self.topic, 0).await?;
        for offset in [4, 0, 3, 1] {
            let (records, high_watermark) = client.fetch_records(offset, 1..1_000_000, 1000).await?;
            println!("high watermark {high_watermark}");
            print(0, records.first().ok_or("no record")?);
        }
        match client.fetch_records(1000, 1..1_000_000, 1000).await {
            Ok((records, _)) => println!("out of range: {} records", records.len()),
            Err(rskafka::client::error::Error::ServerError { protocol_error, .. }) => println!("out of range: {protocol_error:?}"),
            Err(error) => println!("out of range: {error}"),
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().collect();
    let client = ClientBuilder::new(vec![args[1].clone()]).build().await?;
    let scenario = Scenario { client, topic: args[3].clone() };
    match args[2].as_str() {
        "metadata" => scenario.metadata().await,
        "write" => scenario.write(&args[4]).await,
        "read" => scenario.read().await,
        "codecs" => scenario.codecs().await,
        "offsets" => scenario.offsets().await,
        "seek" => scenario.seek().await,
        unknown => Err(unknown.into()),
    }
}
