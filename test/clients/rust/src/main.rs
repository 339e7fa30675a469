//! tokio-postgres: orders in a transaction, a worker, and a leased worker behind a pooler.
//!
//!     client produce FIRST LAST
//!     client work
//!     client lease MEMBER
//!
//! Connects as the PG... environment variables say.

use std::env;
use std::error::Error;

use serde_json::{json, Value};
use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::watch;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Row, Transaction};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

async fn connect() -> Result<Client> {
    let config = format!(
        "host={} port={} user={} dbname={}",
        env::var("PGHOST")?, env::var("PGPORT")?, env::var("PGUSER")?, env::var("PGDATABASE")?
    );
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Whether SIGTERM has come.
fn stop_on_signal() -> Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        terminate.recv().await;
        let _ = sender.send(true);
    });
    Ok(receiver)
}

/// The rows of a query that may wait; none once the program is to stop. The query is cancelled
/// and awaited: a future that is only dropped leaves it running, and what it consumes is lost.
async fn poll<F>(client_token: tokio_postgres::CancelToken, stop: &mut watch::Receiver<bool>, query: F) -> Result<Vec<Row>>
where
    F: std::future::Future<Output = std::result::Result<Vec<Row>, tokio_postgres::Error>>,
{
    tokio::pin!(query);
    let stopping = *stop.borrow();
    if stopping {
        return Ok(vec![]);
    }
    let result = tokio::select! {
        result = &mut query => result,
        _ = stop.changed() => {
            client_token.cancel_query(NoTls).await?;
            query.await
        }
    };
    match result {
        Err(error) if *stop.borrow() && error.code() == Some(&SqlState::QUERY_CANCELED) => Ok(vec![]),
        other => Ok(other?),
    }
}

async fn produce(first: i32, last: i32) -> Result<()> {
    let mut client = connect().await?;
    let tx = client.transaction().await?;
    for n in first..=last {
        tx.execute("INSERT INTO orders_made VALUES ($1)", &[&n]).await?;
        let value = json!({"id": n, "bad": n % 10 == 0});
        // a &str is no regclass for tokio-postgres, hence the cast
        tx.execute("SELECT produce($1::text::regclass, $2, $3::jsonb)", &[&"orders", &format!("customer {}", n % 7), &value]).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn bill(tx: &Transaction<'_>, order: &Value) -> Result<()> {
    tx.execute("INSERT INTO billed VALUES ($1)", &[&(order["id"].as_i64().unwrap_or(0) as i32)]).await?;
    if order["bad"] == true {
        return Err("cannot be billed".into());
    }
    Ok(())
}

async fn work() -> Result<()> {
    let mut stop = stop_on_signal()?;
    let mut client = connect().await?;
    while !*stop.borrow() {
        let token = client.cancel_token();
        let mut tx = client.transaction().await?;
        let topics = vec!["orders", "\"orders.retry\""];
        let records = poll(token, &mut stop, tx.query(
            "SELECT topic::text, partition, record_offset, value::jsonb
             FROM consume_many($1::text[]::regclass[], 'billing', max_records => 10, timeout_ms => 5000)",
            &[&topics],
        )).await?;
        for r in &records {
            let savepoint = tx.transaction().await?;
            let outcome = bill(&savepoint, &r.get::<_, Value>(3)).await;
            match outcome {
                Ok(()) => savepoint.commit().await?,
                Err(error) => {
                    savepoint.rollback().await?;
                    let (topic, partition, offset): (String, i32, i64) = (r.get(0), r.get(1), r.get(2));
                    tx.execute("SELECT nack($1::text::regclass, 'billing', $2, $3, $4)", &[&topic, &partition, &offset, &error.to_string()]).await?;
                }
            }
        }
        // after a poll that was cancelled, this is a rollback
        tx.commit().await?;
    }
    Ok(())
}

async fn lease(member: &str) -> Result<()> {
    let mut stop = stop_on_signal()?;
    let client = connect().await?;
    while !*stop.borrow() {
        // query_typed() prepares nothing: a pooler gives each transaction another session
        let records = poll(client.cancel_token(), &mut stop, client.query_typed(
            "SELECT value::jsonb FROM consume('orders', 'mailing', 10, timeout_ms => 5000, member_id => $1, lease => '10 s')",
            &[(&member, Type::TEXT)],
        )).await?;
        if records.is_empty() {
            continue;
        }
        client.batch_execute("BEGIN").await?;
        for r in &records {
            let id = r.get::<_, Value>(0)["id"].as_i64().unwrap_or(0) as i32;
            client.query_typed("INSERT INTO mailed VALUES ($1)", &[(&id, Type::INT4)]).await?;
        }
        client.query_typed("SELECT commit_offsets('orders', 'mailing', $1)", &[(&member, Type::TEXT)]).await?;
        client.batch_execute("COMMIT").await?;
    }
    client.query_typed("SELECT leave_group('orders', 'mailing', $1)", &[(&member, Type::TEXT)]).await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = env::args().collect();
    match args[1].as_str() {
        "produce" => produce(args[2].parse()?, args[3].parse()?).await,
        "work" => work().await,
        _ => lease(&args[2]).await,
    }
}
