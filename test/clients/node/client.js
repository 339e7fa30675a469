// node-postgres: orders in a transaction, a worker, and a leased worker behind a pooler.
//
//     client.js produce FIRST LAST
//     client.js work
//     client.js lease MEMBER
//
// Connects as the PG... environment variables say.
const { Client } = require('pg');

// Ends a loop on SIGTERM: at once while it polls, else when its work is done.
class Stop {
  constructor(client) {
    this.client = client;
    this.requested = false;
    this.polling = false;
    process.on('SIGTERM', () => this.request());
  }

  request() {
    this.requested = true;
    if (this.polling) this.cancel();
  }

  // node-postgres has no way to send a cancel request, so a second connection is
  // asked to cancel the first one's statement. Behind a pooler that would be the wrong
  // session: there the query is left to its timeout.
  async cancel() {
    const other = new Client();
    await other.connect();
    await other.query('SELECT pg_cancel_backend($1)', [this.client.processID]);
    await other.end();
  }

  // The rows of a query that may wait; none once the program is to stop.
  async poll(text, values) {
    this.polling = true;
    try {
      return this.requested ? [] : (await this.client.query(text, values)).rows;
    } catch (error) {
      if (!this.requested || error.code !== '57014') throw error;
      return [];
    } finally {
      this.polling = false;
    }
  }
}

async function connect() {
  const client = new Client();
  await client.connect();
  return client;
}

async function produce(first, last) {
  const client = await connect();
  await client.query('BEGIN');
  for (let n = first; n <= last; n++) {
    await client.query('INSERT INTO orders_made VALUES ($1)', [n]);
    await client.query('SELECT produce($1, $2, $3)', ['orders', `customer ${n % 7}`, { id: n, bad: n % 10 === 0 }]);
  }
  await client.query('COMMIT');
  await client.end();
}

async function bill(client, order) {
  await client.query('INSERT INTO billed VALUES ($1)', [order.id]);
  if (order.bad) throw new Error('cannot be billed');
}

async function billOrSetAside(client, r) {
  await client.query('SAVEPOINT one');
  try {
    await bill(client, r.value);
    await client.query('RELEASE one');
  } catch (error) {
    await client.query('ROLLBACK TO one');
    await client.query("SELECT nack($1, 'billing', $2, $3, $4)", [r.topic, r.partition, r.record_offset, error.message]);
  }
}

async function work() {
  const client = await connect();
  const stop = new Stop(client);
  while (!stop.requested) {
    await client.query('BEGIN');
    const records = await stop.poll(
      `SELECT topic::text, partition, record_offset, value::jsonb AS value
       FROM consume_many($1::text[]::regclass[], 'billing', max_records => 10, timeout_ms => 5000)`,
      [['orders', '"orders.retry"']]);
    for (const r of records) await billOrSetAside(client, r);
    await client.query('COMMIT'); // after a poll that was cancelled, this is a rollback
  }
  await client.end();
}

async function mail(client, member, records) {
  await client.query('BEGIN');
  for (const r of records) await client.query('INSERT INTO mailed VALUES ($1)', [r.value.id]);
  await client.query("SELECT commit_offsets('orders', 'mailing', $1)", [member]);
  await client.query('COMMIT');
}

async function lease(member) {
  const client = await connect();
  const stop = new Stop(client);
  stop.cancel = () => {}; // see there
  while (!stop.requested) {
    const records = await stop.poll(
      `SELECT value::jsonb AS value
       FROM consume('orders', 'mailing', 10, timeout_ms => 1000, member_id => $1, lease => '10 s')`, [member]);
    if (records.length > 0) await mail(client, member, records);
  }
  await client.query("SELECT leave_group('orders', 'mailing', $1)", [member]);
  await client.end();
}

const [command, ...args] = process.argv.slice(2);
({ produce: () => produce(Number(args[0]), Number(args[1])), work, lease: () => lease(args[0]) })[command]()
  .catch((error) => { console.error(error); process.exit(1); });
