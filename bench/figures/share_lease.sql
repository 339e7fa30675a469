SELECT count(acknowledge('share_topic', 'leases', partition, record_offset, 'accept', delivery_count))
FROM consume_shared('share_topic', 'leases', :batch, lease => '1 min');
