/*
 * kafka_table.c
 *	  The rows of kafka_table.h.
 *
 * This file is made by make_messages from kafka_messages.txt: do not edit.
 */
#include "c.h"

#include <stddef.h>

#include "kafka/kafka_table.h"

/*
 * offset, name, structure of a value, type, flags, first and last version, null in first
 * to last version, tag, default
 */
const KafkaField pgt_kafka_fields[] = {
	/* KafkaConsumerProtocolAssignment */
	{offsetof(KafkaConsumerProtocolAssignment, assigned_partitions), 27, KAFKA_CONSUMER_PROTOCOL_ASSIGNMENT_TOPIC_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerProtocolAssignment, user_data), 46, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 0, 127, -1, 1},
	/* KafkaConsumerProtocolSubscription */
	{offsetof(KafkaConsumerProtocolSubscription, topics), 84, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerProtocolSubscription, user_data), 46, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerProtocolSubscription, owned_partitions), 91, KAFKA_CONSUMER_PROTOCOL_SUBSCRIPTION_TOPIC_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerProtocolSubscription, generation_id), 107, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 1},
	{offsetof(KafkaConsumerProtocolSubscription, rack_id), 120, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 3, 127, 3, 127, -1, 1},
	/* KafkaRequestHeader */
	{offsetof(KafkaRequestHeader, request_api_key), 141, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaRequestHeader, request_api_version), 155, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaRequestHeader, correlation_id), 173, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaRequestHeader, client_id), 187, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_PLAIN, 1, 127, 1, 127, -1, 0},
	/* KafkaResponseHeader */
	{offsetof(KafkaResponseHeader, correlation_id), 173, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaProduceRequest */
	{offsetof(KafkaProduceRequest, transactional_id), 226, 0, KAFKA_TYPE_STRING, 0, 3, 127, 3, 127, -1, 1},
	{offsetof(KafkaProduceRequest, acks), 242, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceRequest, topic_data), 257, KAFKA_PRODUCE_REQUEST_TOPIC_PRODUCE_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaProduceResponse */
	{offsetof(KafkaProduceResponse, responses), 283, KAFKA_PRODUCE_RESPONSE_TOPIC_PRODUCE_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponse, node_endpoints), 308, KAFKA_PRODUCE_RESPONSE_NODE_ENDPOINT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 10, 127, 1, 0, 0, 0},
	/* KafkaFetchRequest */
	{offsetof(KafkaFetchRequest, replica_id), 335, 0, KAFKA_TYPE_INT32, 0, 0, 14, 1, 0, -1, 1},
	{offsetof(KafkaFetchRequest, max_wait_ms), 345, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequest, min_bytes), 355, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequest, max_bytes), 364, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, -1, 2},
	{offsetof(KafkaFetchRequest, isolation_level), 373, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_IGNORABLE, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequest, session_id), 388, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 7, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequest, session_epoch), 398, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 7, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchRequest, topics), 84, KAFKA_FETCH_REQUEST_FETCH_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequest, forgotten_topics_data), 411, KAFKA_FETCH_REQUEST_FORGOTTEN_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 7, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequest, rack_id), 120, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 11, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequest, cluster_id), 431, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 12, 127, 12, 127, 0, 1},
	{offsetof(KafkaFetchRequest, replica_state), 441, KAFKA_FETCH_REQUEST_REPLICA_STATE, KAFKA_TYPE_STRUCT, 0, 15, 127, 1, 0, 1, 0},
	/* KafkaFetchResponse */
	{offsetof(KafkaFetchResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponse, error_code), 468, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_IGNORABLE, 7, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponse, session_id), 388, 0, KAFKA_TYPE_INT32, 0, 7, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponse, responses), 283, KAFKA_FETCH_RESPONSE_FETCHABLE_TOPIC_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponse, node_endpoints), 308, KAFKA_FETCH_RESPONSE_NODE_ENDPOINT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 16, 127, 1, 0, 0, 0},
	/* KafkaListOffsetsRequest */
	{offsetof(KafkaListOffsetsRequest, replica_id), 335, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListOffsetsRequest, isolation_level), 373, 0, KAFKA_TYPE_INT8, 0, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaListOffsetsRequest, topics), 84, KAFKA_LIST_OFFSETS_REQUEST_LIST_OFFSETS_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListOffsetsRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 10, 127, 1, 0, -1, 0},
	/* KafkaListOffsetsResponse */
	{offsetof(KafkaListOffsetsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaListOffsetsResponse, topics), 84, KAFKA_LIST_OFFSETS_RESPONSE_LIST_OFFSETS_TOPIC_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaMetadataRequest */
	{offsetof(KafkaMetadataRequest, topics), 84, KAFKA_METADATA_REQUEST_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 127, -1, 0},
	{offsetof(KafkaMetadataRequest, allow_auto_topic_creation), 533, 0, KAFKA_TYPE_BOOL, 0, 4, 127, 1, 0, -1, 3},
	{offsetof(KafkaMetadataRequest, include_cluster_authorized_operations), 556, 0, KAFKA_TYPE_BOOL, 0, 8, 10, 1, 0, -1, 0},
	{offsetof(KafkaMetadataRequest, include_topic_authorized_operations), 591, 0, KAFKA_TYPE_BOOL, 0, 8, 127, 1, 0, -1, 0},
	/* KafkaMetadataResponse */
	{offsetof(KafkaMetadataResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponse, brokers), 641, KAFKA_METADATA_RESPONSE_BROKER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponse, cluster_id), 431, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 2, 127, 2, 127, -1, 1},
	{offsetof(KafkaMetadataResponse, controller_id), 649, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaMetadataResponse, topics), 84, KAFKA_METADATA_RESPONSE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponse, cluster_authorized_operations), 662, 0, KAFKA_TYPE_INT32, 0, 8, 10, 1, 0, -1, 4},
	{offsetof(KafkaMetadataResponse, error_code), 468, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_IGNORABLE, 13, 127, 1, 0, -1, 0},
	/* KafkaOffsetCommitRequest */
	{offsetof(KafkaOffsetCommitRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetCommitRequest, generation_id_or_member_epoch), 718, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaOffsetCommitRequest, member_id), 744, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetCommitRequest, group_instance_id), 753, 0, KAFKA_TYPE_STRING, 0, 7, 127, 7, 127, -1, 1},
	{offsetof(KafkaOffsetCommitRequest, retention_time_ms), 769, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 2, 4, 1, 0, -1, 1},
	{offsetof(KafkaOffsetCommitRequest, topics), 84, KAFKA_OFFSET_COMMIT_REQUEST_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetCommitResponse */
	{offsetof(KafkaOffsetCommitResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetCommitResponse, topics), 84, KAFKA_OFFSET_COMMIT_RESPONSE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetFetchRequest */
	{offsetof(KafkaOffsetFetchRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 7, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchRequest, topics), 84, KAFKA_OFFSET_FETCH_REQUEST_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 7, 2, 7, -1, 0},
	{offsetof(KafkaOffsetFetchRequest, groups), 825, KAFKA_OFFSET_FETCH_REQUEST_GROUP, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 8, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchRequest, require_stable), 832, 0, KAFKA_TYPE_BOOL, 0, 7, 127, 1, 0, -1, 0},
	/* KafkaOffsetFetchResponse */
	{offsetof(KafkaOffsetFetchResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponse, topics), 84, KAFKA_OFFSET_FETCH_RESPONSE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 7, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponse, error_code), 468, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_IGNORABLE, 2, 7, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponse, groups), 825, KAFKA_OFFSET_FETCH_RESPONSE_GROUP, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 8, 127, 1, 0, -1, 0},
	/* KafkaFindCoordinatorRequest */
	{offsetof(KafkaFindCoordinatorRequest, key), 889, 0, KAFKA_TYPE_STRING, 0, 0, 3, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorRequest, key_type), 893, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorRequest, coordinator_keys), 901, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 4, 127, 1, 0, -1, 0},
	/* KafkaFindCoordinatorResponse */
	{offsetof(KafkaFindCoordinatorResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 3, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorResponse, error_message), 941, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 1, 3, 1, 3, -1, 0},
	{offsetof(KafkaFindCoordinatorResponse, node_id), 954, 0, KAFKA_TYPE_INT32, 0, 0, 3, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorResponse, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 3, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorResponse, port), 966, 0, KAFKA_TYPE_INT32, 0, 0, 3, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorResponse, coordinators), 971, KAFKA_FIND_COORDINATOR_RESPONSE_COORDINATOR, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 4, 127, 1, 0, -1, 0},
	/* KafkaJoinGroupRequest */
	{offsetof(KafkaJoinGroupRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupRequest, session_timeout_ms), 1001, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupRequest, rebalance_timeout_ms), 1018, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaJoinGroupRequest, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupRequest, group_instance_id), 753, 0, KAFKA_TYPE_STRING, 0, 5, 127, 5, 127, -1, 1},
	{offsetof(KafkaJoinGroupRequest, protocol_type), 1037, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupRequest, protocols), 1050, KAFKA_JOIN_GROUP_REQUEST_PROTOCOL, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupRequest, reason), 1060, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 8, 127, 8, 127, -1, 1},
	/* KafkaJoinGroupResponse */
	{offsetof(KafkaJoinGroupResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupResponse, generation_id), 107, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 1},
	{offsetof(KafkaJoinGroupResponse, protocol_type), 1037, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 7, 127, 7, 127, -1, 1},
	{offsetof(KafkaJoinGroupResponse, protocol_name), 1085, 0, KAFKA_TYPE_STRING, 0, 0, 127, 7, 127, -1, 0},
	{offsetof(KafkaJoinGroupResponse, leader), 1098, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupResponse, skip_assignment), 1105, 0, KAFKA_TYPE_BOOL, 0, 9, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupResponse, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupResponse, members), 1120, KAFKA_JOIN_GROUP_RESPONSE_MEMBER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaHeartbeatRequest */
	{offsetof(KafkaHeartbeatRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaHeartbeatRequest, generation_id), 107, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaHeartbeatRequest, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaHeartbeatRequest, group_instance_id), 753, 0, KAFKA_TYPE_STRING, 0, 3, 127, 3, 127, -1, 1},
	/* KafkaHeartbeatResponse */
	{offsetof(KafkaHeartbeatResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaHeartbeatResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaLeaveGroupRequest */
	{offsetof(KafkaLeaveGroupRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaLeaveGroupRequest, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 2, 1, 0, -1, 0},
	{offsetof(KafkaLeaveGroupRequest, members), 1120, KAFKA_LEAVE_GROUP_REQUEST_MEMBER_IDENTITY, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 3, 127, 1, 0, -1, 0},
	/* KafkaLeaveGroupResponse */
	{offsetof(KafkaLeaveGroupResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaLeaveGroupResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaLeaveGroupResponse, members), 1120, KAFKA_LEAVE_GROUP_RESPONSE_MEMBER_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 3, 127, 1, 0, -1, 0},
	/* KafkaSyncGroupRequest */
	{offsetof(KafkaSyncGroupRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaSyncGroupRequest, generation_id), 107, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaSyncGroupRequest, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaSyncGroupRequest, group_instance_id), 753, 0, KAFKA_TYPE_STRING, 0, 3, 127, 3, 127, -1, 1},
	{offsetof(KafkaSyncGroupRequest, protocol_type), 1037, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 5, 127, 5, 127, -1, 1},
	{offsetof(KafkaSyncGroupRequest, protocol_name), 1085, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 5, 127, 5, 127, -1, 1},
	{offsetof(KafkaSyncGroupRequest, assignments), 1217, KAFKA_SYNC_GROUP_REQUEST_ASSIGNMENT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaSyncGroupResponse */
	{offsetof(KafkaSyncGroupResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaSyncGroupResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaSyncGroupResponse, protocol_type), 1037, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 5, 127, 5, 127, -1, 1},
	{offsetof(KafkaSyncGroupResponse, protocol_name), 1085, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 5, 127, 5, 127, -1, 1},
	{offsetof(KafkaSyncGroupResponse, assignment), 1247, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeGroupsRequest */
	{offsetof(KafkaDescribeGroupsRequest, groups), 825, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsRequest, include_authorized_operations), 1280, 0, KAFKA_TYPE_BOOL, 0, 3, 127, 1, 0, -1, 0},
	/* KafkaDescribeGroupsResponse */
	{offsetof(KafkaDescribeGroupsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponse, groups), 825, KAFKA_DESCRIBE_GROUPS_RESPONSE_DESCRIBED_GROUP, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaListGroupsRequest */
	{offsetof(KafkaListGroupsRequest, states_filter), 1349, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaListGroupsRequest, types_filter), 1362, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 5, 127, 1, 0, -1, 0},
	/* KafkaListGroupsResponse */
	{offsetof(KafkaListGroupsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaListGroupsResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListGroupsResponse, groups), 825, KAFKA_LIST_GROUPS_RESPONSE_LISTED_GROUP, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaSaslHandshakeRequest */
	{offsetof(KafkaSaslHandshakeRequest, mechanism), 1414, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaSaslHandshakeResponse */
	{offsetof(KafkaSaslHandshakeResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaSaslHandshakeResponse, mechanisms), 1446, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaApiVersionsRequest */
	{offsetof(KafkaApiVersionsRequest, client_software_name), 1476, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsRequest, client_software_version), 1495, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsRequest, cluster_id), 431, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 5, 127, 5, 127, -1, 1},
	{offsetof(KafkaApiVersionsRequest, node_id), 954, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 1},
	/* KafkaApiVersionsResponse */
	{offsetof(KafkaApiVersionsResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsResponse, api_keys), 1537, KAFKA_API_VERSIONS_RESPONSE_API_VERSION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsResponse, supported_features), 1545, KAFKA_API_VERSIONS_RESPONSE_SUPPORTED_FEATURE_KEY, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, 0, 0},
	{offsetof(KafkaApiVersionsResponse, finalized_features_epoch), 1563, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, 1, 1},
	{offsetof(KafkaApiVersionsResponse, finalized_features), 1586, KAFKA_API_VERSIONS_RESPONSE_FINALIZED_FEATURE_KEY, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, 2, 0},
	{offsetof(KafkaApiVersionsResponse, zk_migration_ready), 1604, 0, KAFKA_TYPE_BOOL, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, 3, 0},
	/* KafkaCreateTopicsRequest */
	{offsetof(KafkaCreateTopicsRequest, topics), 84, KAFKA_CREATE_TOPICS_REQUEST_CREATABLE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 5},
	{offsetof(KafkaCreateTopicsRequest, validate_only), 1641, 0, KAFKA_TYPE_BOOL, 0, 1, 127, 1, 0, -1, 0},
	/* KafkaCreateTopicsResponse */
	{offsetof(KafkaCreateTopicsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsResponse, topics), 84, KAFKA_CREATE_TOPICS_RESPONSE_CREATABLE_TOPIC_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteTopicsRequest */
	{offsetof(KafkaDeleteTopicsRequest, topics), 84, KAFKA_DELETE_TOPICS_REQUEST_DELETE_TOPIC_STATE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 6, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteTopicsRequest, topic_names), 1695, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 0, 5, 1, 0, -1, 0},
	{offsetof(KafkaDeleteTopicsRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteTopicsResponse */
	{offsetof(KafkaDeleteTopicsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteTopicsResponse, responses), 283, KAFKA_DELETE_TOPICS_RESPONSE_DELETABLE_TOPIC_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteRecordsRequest */
	{offsetof(KafkaDeleteRecordsRequest, topics), 84, KAFKA_DELETE_RECORDS_REQUEST_DELETE_RECORDS_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteRecordsRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteRecordsResponse */
	{offsetof(KafkaDeleteRecordsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteRecordsResponse, topics), 84, KAFKA_DELETE_RECORDS_RESPONSE_DELETE_RECORDS_TOPIC_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaInitProducerIdRequest */
	{offsetof(KafkaInitProducerIdRequest, transactional_id), 226, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaInitProducerIdRequest, transaction_timeout_ms), 1792, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitProducerIdRequest, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 3, 127, 1, 0, -1, 1},
	{offsetof(KafkaInitProducerIdRequest, producer_epoch), 1824, 0, KAFKA_TYPE_INT16, 0, 3, 127, 1, 0, -1, 1},
	{offsetof(KafkaInitProducerIdRequest, enable2_pc), 1838, 0, KAFKA_TYPE_BOOL, 0, 6, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitProducerIdRequest, keep_prepared_txn), 1848, 0, KAFKA_TYPE_BOOL, 0, 6, 127, 1, 0, -1, 0},
	/* KafkaInitProducerIdResponse */
	{offsetof(KafkaInitProducerIdResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitProducerIdResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitProducerIdResponse, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 1},
	{offsetof(KafkaInitProducerIdResponse, producer_epoch), 1824, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitProducerIdResponse, ongoing_txn_producer_id), 1887, 0, KAFKA_TYPE_INT64, 0, 6, 127, 1, 0, -1, 1},
	{offsetof(KafkaInitProducerIdResponse, ongoing_txn_producer_epoch), 1908, 0, KAFKA_TYPE_INT16, 0, 6, 127, 1, 0, -1, 1},
	/* KafkaOffsetForLeaderEpochRequest */
	{offsetof(KafkaOffsetForLeaderEpochRequest, replica_id), 335, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, -1, 6},
	{offsetof(KafkaOffsetForLeaderEpochRequest, topics), 84, KAFKA_OFFSET_FOR_LEADER_EPOCH_REQUEST_OFFSET_FOR_LEADER_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetForLeaderEpochResponse */
	{offsetof(KafkaOffsetForLeaderEpochResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetForLeaderEpochResponse, topics), 84, KAFKA_OFFSET_FOR_LEADER_EPOCH_RESPONSE_OFFSET_FOR_LEADER_TOPIC_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAddPartitionsToTxnRequest */
	{offsetof(KafkaAddPartitionsToTxnRequest, transactions), 2015, KAFKA_ADD_PARTITIONS_TO_TXN_REQUEST_ADD_PARTITIONS_TO_TXN_TRANSACTION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnRequest, v3_and_below_transactional_id), 2028, 0, KAFKA_TYPE_STRING, 0, 0, 3, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnRequest, v3_and_below_producer_id), 2054, 0, KAFKA_TYPE_INT64, 0, 0, 3, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnRequest, v3_and_below_producer_epoch), 2075, 0, KAFKA_TYPE_INT16, 0, 0, 3, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnRequest, v3_and_below_topics), 2099, KAFKA_ADD_PARTITIONS_TO_TXN_REQUEST_ADD_PARTITIONS_TO_TXN_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 3, 1, 0, -1, 0},
	/* KafkaAddPartitionsToTxnResponse */
	{offsetof(KafkaAddPartitionsToTxnResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnResponse, error_code), 468, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_IGNORABLE, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnResponse, results_by_transaction), 2143, KAFKA_ADD_PARTITIONS_TO_TXN_RESPONSE_ADD_PARTITIONS_TO_TXN_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnResponse, results_by_topic_v3_and_below), 2164, KAFKA_ADD_PARTITIONS_TO_TXN_RESPONSE_ADD_PARTITIONS_TO_TXN_TOPIC_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 3, 1, 0, -1, 0},
	/* KafkaAddOffsetsToTxnRequest */
	{offsetof(KafkaAddOffsetsToTxnRequest, transactional_id), 226, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddOffsetsToTxnRequest, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddOffsetsToTxnRequest, producer_epoch), 1824, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddOffsetsToTxnRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAddOffsetsToTxnResponse */
	{offsetof(KafkaAddOffsetsToTxnResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddOffsetsToTxnResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaEndTxnRequest */
	{offsetof(KafkaEndTxnRequest, transactional_id), 226, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaEndTxnRequest, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaEndTxnRequest, producer_epoch), 1824, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaEndTxnRequest, committed), 2250, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaEndTxnResponse */
	{offsetof(KafkaEndTxnResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaEndTxnResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaEndTxnResponse, producer_id), 1813, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 1},
	{offsetof(KafkaEndTxnResponse, producer_epoch), 1824, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 1},
	/* KafkaWriteTxnMarkersRequest */
	{offsetof(KafkaWriteTxnMarkersRequest, markers), 2298, KAFKA_WRITE_TXN_MARKERS_REQUEST_WRITABLE_TXN_MARKER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaWriteTxnMarkersResponse */
	{offsetof(KafkaWriteTxnMarkersResponse, markers), 2298, KAFKA_WRITE_TXN_MARKERS_RESPONSE_WRITABLE_TXN_MARKER_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaTxnOffsetCommitRequest */
	{offsetof(KafkaTxnOffsetCommitRequest, transactional_id), 226, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitRequest, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitRequest, producer_epoch), 1824, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitRequest, generation_id_or_member_epoch), 718, 0, KAFKA_TYPE_INT32, 0, 3, 127, 1, 0, -1, 1},
	{offsetof(KafkaTxnOffsetCommitRequest, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitRequest, group_instance_id), 753, 0, KAFKA_TYPE_STRING, 0, 3, 127, 3, 127, -1, 1},
	{offsetof(KafkaTxnOffsetCommitRequest, topics), 84, KAFKA_TXN_OFFSET_COMMIT_REQUEST_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaTxnOffsetCommitResponse */
	{offsetof(KafkaTxnOffsetCommitResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitResponse, topics), 84, KAFKA_TXN_OFFSET_COMMIT_RESPONSE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeAclsRequest */
	{offsetof(KafkaDescribeAclsRequest, resource_type_filter), 2397, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeAclsRequest, resource_name_filter), 2416, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeAclsRequest, pattern_type_filter), 2435, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 7},
	{offsetof(KafkaDescribeAclsRequest, principal_filter), 2453, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeAclsRequest, host_filter), 2469, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeAclsRequest, operation), 2480, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeAclsRequest, permission_type), 2490, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeAclsResponse */
	{offsetof(KafkaDescribeAclsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeAclsResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeAclsResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeAclsResponse, resources), 2526, KAFKA_DESCRIBE_ACLS_RESPONSE_DESCRIBE_ACLS_RESOURCE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaCreateAclsRequest */
	{offsetof(KafkaCreateAclsRequest, creations), 2554, KAFKA_CREATE_ACLS_REQUEST_ACL_CREATION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaCreateAclsResponse */
	{offsetof(KafkaCreateAclsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateAclsResponse, results), 2583, KAFKA_CREATE_ACLS_RESPONSE_ACL_CREATION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteAclsRequest */
	{offsetof(KafkaDeleteAclsRequest, filters), 2609, KAFKA_DELETE_ACLS_REQUEST_DELETE_ACLS_FILTER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteAclsResponse */
	{offsetof(KafkaDeleteAclsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteAclsResponse, filter_results), 2636, KAFKA_DELETE_ACLS_RESPONSE_DELETE_ACLS_FILTER_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeConfigsRequest */
	{offsetof(KafkaDescribeConfigsRequest, resources), 2526, KAFKA_DESCRIBE_CONFIGS_REQUEST_DESCRIBE_CONFIGS_RESOURCE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsRequest, include_synonyms), 2673, 0, KAFKA_TYPE_BOOL, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsRequest, include_documentation), 2689, 0, KAFKA_TYPE_BOOL, 0, 3, 127, 1, 0, -1, 0},
	/* KafkaDescribeConfigsResponse */
	{offsetof(KafkaDescribeConfigsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsResponse, results), 2583, KAFKA_DESCRIBE_CONFIGS_RESPONSE_DESCRIBE_CONFIGS_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterConfigsRequest */
	{offsetof(KafkaAlterConfigsRequest, resources), 2526, KAFKA_ALTER_CONFIGS_REQUEST_ALTER_CONFIGS_RESOURCE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterConfigsRequest, validate_only), 1641, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterConfigsResponse */
	{offsetof(KafkaAlterConfigsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterConfigsResponse, responses), 283, KAFKA_ALTER_CONFIGS_RESPONSE_ALTER_CONFIGS_RESOURCE_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterReplicaLogDirsRequest */
	{offsetof(KafkaAlterReplicaLogDirsRequest, dirs), 2802, KAFKA_ALTER_REPLICA_LOG_DIRS_REQUEST_ALTER_REPLICA_LOG_DIR, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterReplicaLogDirsResponse */
	{offsetof(KafkaAlterReplicaLogDirsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterReplicaLogDirsResponse, results), 2583, KAFKA_ALTER_REPLICA_LOG_DIRS_RESPONSE_ALTER_REPLICA_LOG_DIR_TOPIC_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeLogDirsRequest */
	{offsetof(KafkaDescribeLogDirsRequest, topics), 84, KAFKA_DESCRIBE_LOG_DIRS_REQUEST_DESCRIBABLE_LOG_DIR_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeLogDirsResponse */
	{offsetof(KafkaDescribeLogDirsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeLogDirsResponse, error_code), 468, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeLogDirsResponse, results), 2583, KAFKA_DESCRIBE_LOG_DIRS_RESPONSE_DESCRIBE_LOG_DIRS_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaSaslAuthenticateRequest */
	{offsetof(KafkaSaslAuthenticateRequest, auth_bytes), 2906, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaSaslAuthenticateResponse */
	{offsetof(KafkaSaslAuthenticateResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaSaslAuthenticateResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaSaslAuthenticateResponse, auth_bytes), 2906, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaSaslAuthenticateResponse, session_lifetime_ms), 2941, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	/* KafkaCreatePartitionsRequest */
	{offsetof(KafkaCreatePartitionsRequest, topics), 84, KAFKA_CREATE_PARTITIONS_REQUEST_CREATE_PARTITIONS_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreatePartitionsRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreatePartitionsRequest, validate_only), 1641, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaCreatePartitionsResponse */
	{offsetof(KafkaCreatePartitionsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreatePartitionsResponse, results), 2583, KAFKA_CREATE_PARTITIONS_RESPONSE_CREATE_PARTITIONS_TOPIC_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaCreateDelegationTokenRequest */
	{offsetof(KafkaCreateDelegationTokenRequest, owner_principal_type), 3037, 0, KAFKA_TYPE_STRING, 0, 3, 127, 3, 127, -1, 0},
	{offsetof(KafkaCreateDelegationTokenRequest, owner_principal_name), 3056, 0, KAFKA_TYPE_STRING, 0, 3, 127, 3, 127, -1, 0},
	{offsetof(KafkaCreateDelegationTokenRequest, renewers), 3075, KAFKA_CREATE_DELEGATION_TOKEN_REQUEST_CREATABLE_RENEWERS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenRequest, max_lifetime_ms), 3084, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaCreateDelegationTokenResponse */
	{offsetof(KafkaCreateDelegationTokenResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenResponse, principal_type), 3128, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenResponse, principal_name), 3142, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenResponse, token_requester_principal_type), 3156, 0, KAFKA_TYPE_STRING, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenResponse, token_requester_principal_name), 3184, 0, KAFKA_TYPE_STRING, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenResponse, issue_timestamp_ms), 3212, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenResponse, expiry_timestamp_ms), 3229, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenResponse, max_timestamp_ms), 3247, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenResponse, token_id), 3262, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenResponse, hmac), 3270, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaRenewDelegationTokenRequest */
	{offsetof(KafkaRenewDelegationTokenRequest, hmac), 3270, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaRenewDelegationTokenRequest, renew_period_ms), 3303, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaRenewDelegationTokenResponse */
	{offsetof(KafkaRenewDelegationTokenResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaRenewDelegationTokenResponse, expiry_timestamp_ms), 3229, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaRenewDelegationTokenResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaExpireDelegationTokenRequest */
	{offsetof(KafkaExpireDelegationTokenRequest, hmac), 3270, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaExpireDelegationTokenRequest, expiry_time_period_ms), 3375, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaExpireDelegationTokenResponse */
	{offsetof(KafkaExpireDelegationTokenResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaExpireDelegationTokenResponse, expiry_timestamp_ms), 3229, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaExpireDelegationTokenResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeDelegationTokenRequest */
	{offsetof(KafkaDescribeDelegationTokenRequest, owners), 3455, KAFKA_DESCRIBE_DELEGATION_TOKEN_REQUEST_DESCRIBE_DELEGATION_TOKEN_OWNER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeDelegationTokenResponse */
	{offsetof(KafkaDescribeDelegationTokenResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponse, tokens), 3494, KAFKA_DESCRIBE_DELEGATION_TOKEN_RESPONSE_DESCRIBED_DELEGATION_TOKEN, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteGroupsRequest */
	{offsetof(KafkaDeleteGroupsRequest, groups_names), 3521, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteGroupsResponse */
	{offsetof(KafkaDeleteGroupsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteGroupsResponse, results), 2583, KAFKA_DELETE_GROUPS_RESPONSE_DELETABLE_GROUP_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaElectLeadersRequest */
	{offsetof(KafkaElectLeadersRequest, election_type), 3574, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaElectLeadersRequest, topic_partitions), 3587, KAFKA_ELECT_LEADERS_REQUEST_TOPIC_PARTITIONS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaElectLeadersRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 5},
	/* KafkaElectLeadersResponse */
	{offsetof(KafkaElectLeadersResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaElectLeadersResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaElectLeadersResponse, replica_election_results), 3624, KAFKA_ELECT_LEADERS_RESPONSE_REPLICA_ELECTION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaIncrementalAlterConfigsRequest */
	{offsetof(KafkaIncrementalAlterConfigsRequest, resources), 2526, KAFKA_INCREMENTAL_ALTER_CONFIGS_REQUEST_ALTER_CONFIGS_RESOURCE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaIncrementalAlterConfigsRequest, validate_only), 1641, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaIncrementalAlterConfigsResponse */
	{offsetof(KafkaIncrementalAlterConfigsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaIncrementalAlterConfigsResponse, responses), 283, KAFKA_INCREMENTAL_ALTER_CONFIGS_RESPONSE_ALTER_CONFIGS_RESOURCE_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterPartitionReassignmentsRequest */
	{offsetof(KafkaAlterPartitionReassignmentsRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 5},
	{offsetof(KafkaAlterPartitionReassignmentsRequest, allow_replication_factor_change), 3745, 0, KAFKA_TYPE_BOOL, 0, 1, 127, 1, 0, -1, 3},
	{offsetof(KafkaAlterPartitionReassignmentsRequest, topics), 84, KAFKA_ALTER_PARTITION_REASSIGNMENTS_REQUEST_REASSIGNABLE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterPartitionReassignmentsResponse */
	{offsetof(KafkaAlterPartitionReassignmentsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterPartitionReassignmentsResponse, allow_replication_factor_change), 3745, 0, KAFKA_TYPE_BOOL, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 3},
	{offsetof(KafkaAlterPartitionReassignmentsResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterPartitionReassignmentsResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaAlterPartitionReassignmentsResponse, responses), 283, KAFKA_ALTER_PARTITION_REASSIGNMENTS_RESPONSE_REASSIGNABLE_TOPIC_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaListPartitionReassignmentsRequest */
	{offsetof(KafkaListPartitionReassignmentsRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 5},
	{offsetof(KafkaListPartitionReassignmentsRequest, topics), 84, KAFKA_LIST_PARTITION_REASSIGNMENTS_REQUEST_LIST_PARTITION_REASSIGNMENTS_TOPICS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	/* KafkaListPartitionReassignmentsResponse */
	{offsetof(KafkaListPartitionReassignmentsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListPartitionReassignmentsResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListPartitionReassignmentsResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaListPartitionReassignmentsResponse, topics), 84, KAFKA_LIST_PARTITION_REASSIGNMENTS_RESPONSE_ONGOING_TOPIC_REASSIGNMENT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetDeleteRequest */
	{offsetof(KafkaOffsetDeleteRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetDeleteRequest, topics), 84, KAFKA_OFFSET_DELETE_REQUEST_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetDeleteResponse */
	{offsetof(KafkaOffsetDeleteResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetDeleteResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetDeleteResponse, topics), 84, KAFKA_OFFSET_DELETE_RESPONSE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeClientQuotasRequest */
	{offsetof(KafkaDescribeClientQuotasRequest, components), 3948, KAFKA_DESCRIBE_CLIENT_QUOTAS_REQUEST_COMPONENT_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClientQuotasRequest, strict), 3959, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeClientQuotasResponse */
	{offsetof(KafkaDescribeClientQuotasResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClientQuotasResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClientQuotasResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeClientQuotasResponse, entries), 3995, KAFKA_DESCRIBE_CLIENT_QUOTAS_RESPONSE_ENTRY_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 0},
	/* KafkaAlterClientQuotasRequest */
	{offsetof(KafkaAlterClientQuotasRequest, entries), 3995, KAFKA_ALTER_CLIENT_QUOTAS_REQUEST_ENTRY_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterClientQuotasRequest, validate_only), 1641, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterClientQuotasResponse */
	{offsetof(KafkaAlterClientQuotasResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterClientQuotasResponse, entries), 3995, KAFKA_ALTER_CLIENT_QUOTAS_RESPONSE_ENTRY_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeUserScramCredentialsRequest */
	{offsetof(KafkaDescribeUserScramCredentialsRequest, users), 4090, KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS_REQUEST_USER_NAME, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeUserScramCredentialsResponse */
	{offsetof(KafkaDescribeUserScramCredentialsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeUserScramCredentialsResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeUserScramCredentialsResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeUserScramCredentialsResponse, results), 2583, KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE_DESCRIBE_USER_SCRAM_CREDENTIALS_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterUserScramCredentialsRequest */
	{offsetof(KafkaAlterUserScramCredentialsRequest, deletions), 4166, KAFKA_ALTER_USER_SCRAM_CREDENTIALS_REQUEST_SCRAM_CREDENTIAL_DELETION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterUserScramCredentialsRequest, upsertions), 4176, KAFKA_ALTER_USER_SCRAM_CREDENTIALS_REQUEST_SCRAM_CREDENTIAL_UPSERTION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterUserScramCredentialsResponse */
	{offsetof(KafkaAlterUserScramCredentialsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterUserScramCredentialsResponse, results), 2583, KAFKA_ALTER_USER_SCRAM_CREDENTIALS_RESPONSE_ALTER_USER_SCRAM_CREDENTIALS_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeQuorumRequest */
	{offsetof(KafkaDescribeQuorumRequest, topics), 84, KAFKA_DESCRIBE_QUORUM_REQUEST_TOPIC_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeQuorumResponse */
	{offsetof(KafkaDescribeQuorumResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponse, error_message), 941, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 2, 127, 2, 127, -1, 0},
	{offsetof(KafkaDescribeQuorumResponse, topics), 84, KAFKA_DESCRIBE_QUORUM_RESPONSE_TOPIC_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponse, nodes), 4266, KAFKA_DESCRIBE_QUORUM_RESPONSE_NODE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 2, 127, 1, 0, -1, 0},
	/* KafkaUpdateFeaturesRequest */
	{offsetof(KafkaUpdateFeaturesRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 5},
	{offsetof(KafkaUpdateFeaturesRequest, feature_updates), 4294, KAFKA_UPDATE_FEATURES_REQUEST_FEATURE_UPDATE_KEY, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaUpdateFeaturesRequest, validate_only), 1641, 0, KAFKA_TYPE_BOOL, 0, 1, 127, 1, 0, -1, 0},
	/* KafkaUpdateFeaturesResponse */
	{offsetof(KafkaUpdateFeaturesResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaUpdateFeaturesResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaUpdateFeaturesResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaUpdateFeaturesResponse, results), 2583, KAFKA_UPDATE_FEATURES_RESPONSE_UPDATABLE_FEATURE_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 0, 1, 1, 0, -1, 0},
	/* KafkaDescribeClusterRequest */
	{offsetof(KafkaDescribeClusterRequest, include_cluster_authorized_operations), 556, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClusterRequest, endpoint_type), 4355, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 3},
	{offsetof(KafkaDescribeClusterRequest, include_fenced_brokers), 4368, 0, KAFKA_TYPE_BOOL, 0, 2, 127, 1, 0, -1, 0},
	/* KafkaDescribeClusterResponse */
	{offsetof(KafkaDescribeClusterResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClusterResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClusterResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaDescribeClusterResponse, endpoint_type), 4355, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 3},
	{offsetof(KafkaDescribeClusterResponse, cluster_id), 431, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClusterResponse, controller_id), 649, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 1},
	{offsetof(KafkaDescribeClusterResponse, brokers), 641, KAFKA_DESCRIBE_CLUSTER_RESPONSE_DESCRIBE_CLUSTER_BROKER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClusterResponse, cluster_authorized_operations), 662, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 4},
	/* KafkaDescribeProducersRequest */
	{offsetof(KafkaDescribeProducersRequest, topics), 84, KAFKA_DESCRIBE_PRODUCERS_REQUEST_TOPIC_REQUEST, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeProducersResponse */
	{offsetof(KafkaDescribeProducersResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeProducersResponse, topics), 84, KAFKA_DESCRIBE_PRODUCERS_RESPONSE_TOPIC_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaUnregisterBrokerRequest */
	{offsetof(KafkaUnregisterBrokerRequest, broker_id), 4488, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaUnregisterBrokerResponse */
	{offsetof(KafkaUnregisterBrokerResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaUnregisterBrokerResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaUnregisterBrokerResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeTransactionsRequest */
	{offsetof(KafkaDescribeTransactionsRequest, transactional_ids), 4550, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeTransactionsResponse */
	{offsetof(KafkaDescribeTransactionsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTransactionsResponse, transaction_states), 4596, KAFKA_DESCRIBE_TRANSACTIONS_RESPONSE_TRANSACTION_STATE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaListTransactionsRequest */
	{offsetof(KafkaListTransactionsRequest, state_filters), 4638, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListTransactionsRequest, producer_id_filters), 4651, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListTransactionsRequest, duration_filter), 4669, 0, KAFKA_TYPE_INT64, 0, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaListTransactionsRequest, transactional_id_pattern), 4684, 0, KAFKA_TYPE_STRING, 0, 2, 127, 2, 127, -1, 1},
	/* KafkaListTransactionsResponse */
	{offsetof(KafkaListTransactionsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListTransactionsResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListTransactionsResponse, unknown_state_filters), 4732, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListTransactionsResponse, transaction_states), 4596, KAFKA_LIST_TRANSACTIONS_RESPONSE_TRANSACTION_STATE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaConsumerGroupHeartbeatRequest */
	{offsetof(KafkaConsumerGroupHeartbeatRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupHeartbeatRequest, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupHeartbeatRequest, member_epoch), 4782, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupHeartbeatRequest, instance_id), 4794, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerGroupHeartbeatRequest, rack_id), 120, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerGroupHeartbeatRequest, rebalance_timeout_ms), 1018, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 1},
	{offsetof(KafkaConsumerGroupHeartbeatRequest, subscribed_topic_names), 4805, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerGroupHeartbeatRequest, subscribed_topic_regex), 4826, 0, KAFKA_TYPE_STRING, 0, 1, 127, 1, 127, -1, 1},
	{offsetof(KafkaConsumerGroupHeartbeatRequest, server_assignor), 4847, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerGroupHeartbeatRequest, topic_partitions), 3587, KAFKA_CONSUMER_GROUP_HEARTBEAT_REQUEST_TOPIC_PARTITIONS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	/* KafkaConsumerGroupHeartbeatResponse */
	{offsetof(KafkaConsumerGroupHeartbeatResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupHeartbeatResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupHeartbeatResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerGroupHeartbeatResponse, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerGroupHeartbeatResponse, member_epoch), 4782, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupHeartbeatResponse, heartbeat_interval_ms), 4893, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupHeartbeatResponse, assignment), 1247, KAFKA_CONSUMER_GROUP_HEARTBEAT_RESPONSE_ASSIGNMENT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_POINTER, 0, 127, 0, 127, -1, 0},
	/* KafkaConsumerGroupDescribeRequest */
	{offsetof(KafkaConsumerGroupDescribeRequest, group_ids), 4942, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeRequest, include_authorized_operations), 1280, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaConsumerGroupDescribeResponse */
	{offsetof(KafkaConsumerGroupDescribeResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponse, groups), 825, KAFKA_CONSUMER_GROUP_DESCRIBE_RESPONSE_DESCRIBED_GROUP, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaListConfigResourcesRequest */
	{offsetof(KafkaListConfigResourcesRequest, resource_types), 5008, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_ARRAY, 1, 127, 1, 0, -1, 0},
	/* KafkaListConfigResourcesResponse */
	{offsetof(KafkaListConfigResourcesResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListConfigResourcesResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListConfigResourcesResponse, config_resources), 5050, KAFKA_LIST_CONFIG_RESOURCES_RESPONSE_CONFIG_RESOURCE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeTopicPartitionsRequest */
	{offsetof(KafkaDescribeTopicPartitionsRequest, topics), 84, KAFKA_DESCRIBE_TOPIC_PARTITIONS_REQUEST_TOPIC_REQUEST, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsRequest, response_partition_limit), 5097, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 8},
	{offsetof(KafkaDescribeTopicPartitionsRequest, cursor), 5120, KAFKA_DESCRIBE_TOPIC_PARTITIONS_REQUEST_CURSOR, KAFKA_TYPE_STRUCT, KAFKA_FIELD_POINTER, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeTopicPartitionsResponse */
	{offsetof(KafkaDescribeTopicPartitionsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponse, topics), 84, KAFKA_DESCRIBE_TOPIC_PARTITIONS_RESPONSE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponse, next_cursor), 5159, KAFKA_DESCRIBE_TOPIC_PARTITIONS_RESPONSE_CURSOR, KAFKA_TYPE_STRUCT, KAFKA_FIELD_POINTER, 0, 127, 0, 127, -1, 0},
	/* KafkaShareGroupHeartbeatRequest */
	{offsetof(KafkaShareGroupHeartbeatRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupHeartbeatRequest, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupHeartbeatRequest, member_epoch), 4782, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupHeartbeatRequest, rack_id), 120, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareGroupHeartbeatRequest, subscribed_topic_names), 4805, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	/* KafkaShareGroupHeartbeatResponse */
	{offsetof(KafkaShareGroupHeartbeatResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupHeartbeatResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupHeartbeatResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareGroupHeartbeatResponse, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareGroupHeartbeatResponse, member_epoch), 4782, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupHeartbeatResponse, heartbeat_interval_ms), 4893, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupHeartbeatResponse, assignment), 1247, KAFKA_SHARE_GROUP_HEARTBEAT_RESPONSE_ASSIGNMENT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_POINTER, 0, 127, 0, 127, -1, 0},
	/* KafkaShareGroupDescribeRequest */
	{offsetof(KafkaShareGroupDescribeRequest, group_ids), 4942, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeRequest, include_authorized_operations), 1280, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaShareGroupDescribeResponse */
	{offsetof(KafkaShareGroupDescribeResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponse, groups), 825, KAFKA_SHARE_GROUP_DESCRIBE_RESPONSE_DESCRIBED_GROUP, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareFetchRequest */
	{offsetof(KafkaShareFetchRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareFetchRequest, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaShareFetchRequest, share_session_epoch), 5296, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequest, max_wait_ms), 345, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequest, min_bytes), 355, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequest, max_bytes), 364, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 2},
	{offsetof(KafkaShareFetchRequest, max_records), 5314, 0, KAFKA_TYPE_INT32, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequest, batch_size), 5325, 0, KAFKA_TYPE_INT32, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequest, share_acquire_mode), 5335, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequest, is_renew_ack), 5352, 0, KAFKA_TYPE_BOOL, 0, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequest, topics), 84, KAFKA_SHARE_FETCH_REQUEST_FETCH_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequest, forgotten_topics_data), 411, KAFKA_SHARE_FETCH_REQUEST_FORGOTTEN_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareFetchResponse */
	{offsetof(KafkaShareFetchResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareFetchResponse, acquisition_lock_timeout_ms), 5382, 0, KAFKA_TYPE_INT32, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponse, responses), 283, KAFKA_SHARE_FETCH_RESPONSE_SHARE_FETCHABLE_TOPIC_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponse, node_endpoints), 308, KAFKA_SHARE_FETCH_RESPONSE_NODE_ENDPOINT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareAcknowledgeRequest */
	{offsetof(KafkaShareAcknowledgeRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareAcknowledgeRequest, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaShareAcknowledgeRequest, share_session_epoch), 5296, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeRequest, is_renew_ack), 5352, 0, KAFKA_TYPE_BOOL, 0, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeRequest, topics), 84, KAFKA_SHARE_ACKNOWLEDGE_REQUEST_ACKNOWLEDGE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareAcknowledgeResponse */
	{offsetof(KafkaShareAcknowledgeResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareAcknowledgeResponse, acquisition_lock_timeout_ms), 5382, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponse, responses), 283, KAFKA_SHARE_ACKNOWLEDGE_RESPONSE_SHARE_ACKNOWLEDGE_TOPIC_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponse, node_endpoints), 308, KAFKA_SHARE_ACKNOWLEDGE_RESPONSE_NODE_ENDPOINT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAddRaftVoterRequest */
	{offsetof(KafkaAddRaftVoterRequest, cluster_id), 431, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaAddRaftVoterRequest, timeout_ms), 247, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddRaftVoterRequest, voter_id), 5476, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddRaftVoterRequest, voter_directory_id), 5484, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddRaftVoterRequest, listeners), 5501, KAFKA_ADD_RAFT_VOTER_REQUEST_LISTENER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddRaftVoterRequest, ack_when_committed), 5511, 0, KAFKA_TYPE_BOOL, 0, 1, 127, 1, 0, -1, 3},
	/* KafkaAddRaftVoterResponse */
	{offsetof(KafkaAddRaftVoterResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddRaftVoterResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddRaftVoterResponse, error_message), 941, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 0, 127, 0, 127, -1, 0},
	/* KafkaRemoveRaftVoterRequest */
	{offsetof(KafkaRemoveRaftVoterRequest, cluster_id), 431, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaRemoveRaftVoterRequest, voter_id), 5476, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaRemoveRaftVoterRequest, voter_directory_id), 5484, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaRemoveRaftVoterResponse */
	{offsetof(KafkaRemoveRaftVoterResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaRemoveRaftVoterResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaRemoveRaftVoterResponse, error_message), 941, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 0, 127, 0, 127, -1, 0},
	/* KafkaInitializeShareGroupStateRequest */
	{offsetof(KafkaInitializeShareGroupStateRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitializeShareGroupStateRequest, topics), 84, KAFKA_INITIALIZE_SHARE_GROUP_STATE_REQUEST_INITIALIZE_STATE_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaInitializeShareGroupStateResponse */
	{offsetof(KafkaInitializeShareGroupStateResponse, results), 2583, KAFKA_INITIALIZE_SHARE_GROUP_STATE_RESPONSE_INITIALIZE_STATE_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateRequest */
	{offsetof(KafkaReadShareGroupStateRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateRequest, topics), 84, KAFKA_READ_SHARE_GROUP_STATE_REQUEST_READ_STATE_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateResponse */
	{offsetof(KafkaReadShareGroupStateResponse, results), 2583, KAFKA_READ_SHARE_GROUP_STATE_RESPONSE_READ_STATE_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaWriteShareGroupStateRequest */
	{offsetof(KafkaWriteShareGroupStateRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateRequest, topics), 84, KAFKA_WRITE_SHARE_GROUP_STATE_REQUEST_WRITE_STATE_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaWriteShareGroupStateResponse */
	{offsetof(KafkaWriteShareGroupStateResponse, results), 2583, KAFKA_WRITE_SHARE_GROUP_STATE_RESPONSE_WRITE_STATE_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteShareGroupStateRequest */
	{offsetof(KafkaDeleteShareGroupStateRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupStateRequest, topics), 84, KAFKA_DELETE_SHARE_GROUP_STATE_REQUEST_DELETE_STATE_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteShareGroupStateResponse */
	{offsetof(KafkaDeleteShareGroupStateResponse, results), 2583, KAFKA_DELETE_SHARE_GROUP_STATE_RESPONSE_DELETE_STATE_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateSummaryRequest */
	{offsetof(KafkaReadShareGroupStateSummaryRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateSummaryRequest, topics), 84, KAFKA_READ_SHARE_GROUP_STATE_SUMMARY_REQUEST_READ_STATE_SUMMARY_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateSummaryResponse */
	{offsetof(KafkaReadShareGroupStateSummaryResponse, results), 2583, KAFKA_READ_SHARE_GROUP_STATE_SUMMARY_RESPONSE_READ_STATE_SUMMARY_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatRequest */
	{offsetof(KafkaStreamsGroupHeartbeatRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, member_epoch), 4782, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, endpoint_information_epoch), 5932, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, instance_id), 4794, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, rack_id), 120, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, rebalance_timeout_ms), 1018, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, topology), 5957, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_TOPOLOGY, KAFKA_TYPE_STRUCT, KAFKA_FIELD_POINTER, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, active_tasks), 5966, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_TASK_IDS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, standby_tasks), 5978, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_TASK_IDS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, warmup_tasks), 5991, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_TASK_IDS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, process_id), 6003, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, user_endpoint), 6013, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_ENDPOINT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_POINTER, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, client_tags), 6026, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_KEY_VALUE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, task_offsets), 6037, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_TASK_OFFSET, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, task_end_offsets), 6049, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_TASK_OFFSET, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatRequest, shutdown_application), 6064, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatResponse */
	{offsetof(KafkaStreamsGroupHeartbeatResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, member_epoch), 4782, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, heartbeat_interval_ms), 4893, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, acceptable_recovery_lag_legacy), 6114, 0, KAFKA_TYPE_INT32, 0, 0, 0, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, task_offset_interval_ms), 6142, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, acceptable_recovery_lag), 6163, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, status), 6185, KAFKA_STREAMS_GROUP_HEARTBEAT_RESPONSE_STATUS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, active_tasks), 5966, KAFKA_STREAMS_GROUP_HEARTBEAT_RESPONSE_TASK_IDS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, standby_tasks), 5978, KAFKA_STREAMS_GROUP_HEARTBEAT_RESPONSE_TASK_IDS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, warmup_tasks), 5991, KAFKA_STREAMS_GROUP_HEARTBEAT_RESPONSE_TASK_IDS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, topology_description_required), 6192, 0, KAFKA_TYPE_BOOL, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, endpoint_information_epoch), 5932, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponse, partitions_by_user_endpoint), 6220, KAFKA_STREAMS_GROUP_HEARTBEAT_RESPONSE_ENDPOINT_TO_PARTITIONS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	/* KafkaStreamsGroupDescribeRequest */
	{offsetof(KafkaStreamsGroupDescribeRequest, group_ids), 4942, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeRequest, include_authorized_operations), 1280, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeRequest, include_topology_description), 6273, 0, KAFKA_TYPE_BOOL, 0, 1, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponse */
	{offsetof(KafkaStreamsGroupDescribeResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponse, groups), 825, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_DESCRIBED_GROUP, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeShareGroupOffsetsRequest */
	{offsetof(KafkaDescribeShareGroupOffsetsRequest, groups), 825, KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_REQUEST_GROUP, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeShareGroupOffsetsResponse */
	{offsetof(KafkaDescribeShareGroupOffsetsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsResponse, groups), 825, KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE_GROUP, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterShareGroupOffsetsRequest */
	{offsetof(KafkaAlterShareGroupOffsetsRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterShareGroupOffsetsRequest, topics), 84, KAFKA_ALTER_SHARE_GROUP_OFFSETS_REQUEST_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterShareGroupOffsetsResponse */
	{offsetof(KafkaAlterShareGroupOffsetsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterShareGroupOffsetsResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterShareGroupOffsetsResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaAlterShareGroupOffsetsResponse, responses), 283, KAFKA_ALTER_SHARE_GROUP_OFFSETS_RESPONSE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteShareGroupOffsetsRequest */
	{offsetof(KafkaDeleteShareGroupOffsetsRequest, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupOffsetsRequest, topics), 84, KAFKA_DELETE_SHARE_GROUP_OFFSETS_REQUEST_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteShareGroupOffsetsResponse */
	{offsetof(KafkaDeleteShareGroupOffsetsResponse, throttle_time_ms), 293, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupOffsetsResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupOffsetsResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaDeleteShareGroupOffsetsResponse, responses), 283, KAFKA_DELETE_SHARE_GROUP_OFFSETS_RESPONSE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaConsumerProtocolAssignmentTopicPartition */
	{offsetof(KafkaConsumerProtocolAssignmentTopicPartition, topic), 6535, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerProtocolAssignmentTopicPartition, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaConsumerProtocolSubscriptionTopicPartition */
	{offsetof(KafkaConsumerProtocolSubscriptionTopicPartition, topic), 6535, 0, KAFKA_TYPE_STRING, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerProtocolSubscriptionTopicPartition, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 1, 127, 1, 0, -1, 0},
	/* KafkaProduceRequestPartitionProduceData */
	{offsetof(KafkaProduceRequestPartitionProduceData, index), 6573, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceRequestPartitionProduceData, records), 6579, 0, KAFKA_TYPE_RECORDS, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaProduceRequestTopicProduceData */
	{offsetof(KafkaProduceRequestTopicProduceData, name), 6604, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 0, 12, 1, 0, -1, 0},
	{offsetof(KafkaProduceRequestTopicProduceData, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 13, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceRequestTopicProduceData, partition_data), 6617, KAFKA_PRODUCE_REQUEST_PARTITION_PRODUCE_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaProduceResponseBatchIndexAndErrorMessage */
	{offsetof(KafkaProduceResponseBatchIndexAndErrorMessage, batch_index), 6657, 0, KAFKA_TYPE_INT32, 0, 8, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponseBatchIndexAndErrorMessage, batch_index_error_message), 6668, 0, KAFKA_TYPE_STRING, 0, 8, 127, 8, 127, -1, 1},
	/* KafkaProduceResponseLeaderIdAndEpoch */
	{offsetof(KafkaProduceResponseLeaderIdAndEpoch, leader_id), 6708, 0, KAFKA_TYPE_INT32, 0, 10, 127, 1, 0, -1, 1},
	{offsetof(KafkaProduceResponseLeaderIdAndEpoch, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 10, 127, 1, 0, -1, 1},
	/* KafkaProduceResponsePartitionProduceResponse */
	{offsetof(KafkaProduceResponsePartitionProduceResponse, index), 6573, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponsePartitionProduceResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponsePartitionProduceResponse, base_offset), 6754, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponsePartitionProduceResponse, log_append_time_ms), 6765, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 1},
	{offsetof(KafkaProduceResponsePartitionProduceResponse, log_start_offset), 6781, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 1},
	{offsetof(KafkaProduceResponsePartitionProduceResponse, record_errors), 6796, KAFKA_PRODUCE_RESPONSE_BATCH_INDEX_AND_ERROR_MESSAGE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 8, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponsePartitionProduceResponse, error_message), 941, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 8, 127, 8, 127, -1, 1},
	{offsetof(KafkaProduceResponsePartitionProduceResponse, current_leader), 6809, KAFKA_PRODUCE_RESPONSE_LEADER_ID_AND_EPOCH, KAFKA_TYPE_STRUCT, 0, 10, 127, 1, 0, 0, 0},
	/* KafkaProduceResponseTopicProduceResponse */
	{offsetof(KafkaProduceResponseTopicProduceResponse, name), 6604, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 0, 12, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponseTopicProduceResponse, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 13, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponseTopicProduceResponse, partition_responses), 6844, KAFKA_PRODUCE_RESPONSE_PARTITION_PRODUCE_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaProduceResponseNodeEndpoint */
	{offsetof(KafkaProduceResponseNodeEndpoint, node_id), 954, 0, KAFKA_TYPE_INT32, 0, 10, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponseNodeEndpoint, host), 961, 0, KAFKA_TYPE_STRING, 0, 10, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponseNodeEndpoint, port), 966, 0, KAFKA_TYPE_INT32, 0, 10, 127, 1, 0, -1, 0},
	{offsetof(KafkaProduceResponseNodeEndpoint, rack), 6876, 0, KAFKA_TYPE_STRING, 0, 10, 127, 10, 127, -1, 1},
	/* KafkaFetchRequestReplicaState */
	{offsetof(KafkaFetchRequestReplicaState, replica_id), 335, 0, KAFKA_TYPE_INT32, 0, 15, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchRequestReplicaState, replica_epoch), 6894, 0, KAFKA_TYPE_INT64, 0, 15, 127, 1, 0, -1, 1},
	/* KafkaFetchRequestFetchPartition */
	{offsetof(KafkaFetchRequestFetchPartition, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequestFetchPartition, current_leader_epoch), 6932, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 9, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchRequestFetchPartition, fetch_offset), 6951, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequestFetchPartition, last_fetched_epoch), 6963, 0, KAFKA_TYPE_INT32, 0, 12, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchRequestFetchPartition, log_start_offset), 6781, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchRequestFetchPartition, partition_max_bytes), 6980, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequestFetchPartition, replica_directory_id), 6998, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 17, 127, 1, 0, 0, 0},
	{offsetof(KafkaFetchRequestFetchPartition, high_watermark), 7017, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 18, 127, 1, 0, 1, 9},
	/* KafkaFetchRequestFetchTopic */
	{offsetof(KafkaFetchRequestFetchTopic, topic), 6535, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 0, 12, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequestFetchTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 13, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequestFetchTopic, partitions), 6541, KAFKA_FETCH_REQUEST_FETCH_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaFetchRequestForgottenTopic */
	{offsetof(KafkaFetchRequestForgottenTopic, topic), 6535, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 7, 12, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequestForgottenTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 13, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchRequestForgottenTopic, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 7, 127, 1, 0, -1, 0},
	/* KafkaFetchResponseEpochEndOffset */
	{offsetof(KafkaFetchResponseEpochEndOffset, epoch), 7072, 0, KAFKA_TYPE_INT32, 0, 12, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchResponseEpochEndOffset, end_offset), 7078, 0, KAFKA_TYPE_INT64, 0, 12, 127, 1, 0, -1, 1},
	/* KafkaFetchResponseLeaderIdAndEpoch */
	{offsetof(KafkaFetchResponseLeaderIdAndEpoch, leader_id), 6708, 0, KAFKA_TYPE_INT32, 0, 12, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchResponseLeaderIdAndEpoch, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 12, 127, 1, 0, -1, 1},
	/* KafkaFetchResponseSnapshotId */
	{offsetof(KafkaFetchResponseSnapshotId, end_offset), 7078, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchResponseSnapshotId, epoch), 7072, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 1},
	/* KafkaFetchResponseAbortedTransaction */
	{offsetof(KafkaFetchResponseAbortedTransaction, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponseAbortedTransaction, first_offset), 7118, 0, KAFKA_TYPE_INT64, 0, 4, 127, 1, 0, -1, 0},
	/* KafkaFetchResponsePartitionData */
	{offsetof(KafkaFetchResponsePartitionData, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponsePartitionData, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponsePartitionData, high_watermark), 7017, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponsePartitionData, last_stable_offset), 7159, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 4, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchResponsePartitionData, log_start_offset), 6781, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchResponsePartitionData, aborted_transactions), 7176, KAFKA_FETCH_RESPONSE_ABORTED_TRANSACTION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 4, 127, 4, 127, -1, 0},
	{offsetof(KafkaFetchResponsePartitionData, preferred_read_replica), 7196, 0, KAFKA_TYPE_INT32, 0, 11, 127, 1, 0, -1, 1},
	{offsetof(KafkaFetchResponsePartitionData, records), 6579, 0, KAFKA_TYPE_RECORDS, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaFetchResponsePartitionData, diverging_epoch), 7217, KAFKA_FETCH_RESPONSE_EPOCH_END_OFFSET, KAFKA_TYPE_STRUCT, 0, 12, 127, 1, 0, 0, 0},
	{offsetof(KafkaFetchResponsePartitionData, current_leader), 6809, KAFKA_FETCH_RESPONSE_LEADER_ID_AND_EPOCH, KAFKA_TYPE_STRUCT, 0, 12, 127, 1, 0, 1, 0},
	{offsetof(KafkaFetchResponsePartitionData, snapshot_id), 7232, KAFKA_FETCH_RESPONSE_SNAPSHOT_ID, KAFKA_TYPE_STRUCT, 0, 12, 127, 1, 0, 2, 0},
	/* KafkaFetchResponseFetchableTopicResponse */
	{offsetof(KafkaFetchResponseFetchableTopicResponse, topic), 6535, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 0, 12, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponseFetchableTopicResponse, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 13, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponseFetchableTopicResponse, partitions), 6541, KAFKA_FETCH_RESPONSE_PARTITION_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaFetchResponseNodeEndpoint */
	{offsetof(KafkaFetchResponseNodeEndpoint, node_id), 954, 0, KAFKA_TYPE_INT32, 0, 16, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponseNodeEndpoint, host), 961, 0, KAFKA_TYPE_STRING, 0, 16, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponseNodeEndpoint, port), 966, 0, KAFKA_TYPE_INT32, 0, 16, 127, 1, 0, -1, 0},
	{offsetof(KafkaFetchResponseNodeEndpoint, rack), 6876, 0, KAFKA_TYPE_STRING, 0, 16, 127, 16, 127, -1, 1},
	/* KafkaListOffsetsRequestListOffsetsPartition */
	{offsetof(KafkaListOffsetsRequestListOffsetsPartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListOffsetsRequestListOffsetsPartition, current_leader_epoch), 6932, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 4, 127, 1, 0, -1, 1},
	{offsetof(KafkaListOffsetsRequestListOffsetsPartition, timestamp), 7287, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaListOffsetsRequestListOffsetsTopic */
	{offsetof(KafkaListOffsetsRequestListOffsetsTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListOffsetsRequestListOffsetsTopic, partitions), 6541, KAFKA_LIST_OFFSETS_REQUEST_LIST_OFFSETS_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaListOffsetsResponseListOffsetsPartitionResponse */
	{offsetof(KafkaListOffsetsResponseListOffsetsPartitionResponse, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListOffsetsResponseListOffsetsPartitionResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListOffsetsResponseListOffsetsPartitionResponse, timestamp), 7287, 0, KAFKA_TYPE_INT64, 0, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaListOffsetsResponseListOffsetsPartitionResponse, offset), 7343, 0, KAFKA_TYPE_INT64, 0, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaListOffsetsResponseListOffsetsPartitionResponse, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 4, 127, 1, 0, -1, 1},
	/* KafkaListOffsetsResponseListOffsetsTopicResponse */
	{offsetof(KafkaListOffsetsResponseListOffsetsTopicResponse, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListOffsetsResponseListOffsetsTopicResponse, partitions), 6541, KAFKA_LIST_OFFSETS_RESPONSE_LIST_OFFSETS_PARTITION_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaMetadataRequestTopic */
	{offsetof(KafkaMetadataRequestTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 10, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataRequestTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 10, 127, -1, 0},
	/* KafkaMetadataResponseBroker */
	{offsetof(KafkaMetadataResponseBroker, node_id), 954, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponseBroker, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponseBroker, port), 966, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponseBroker, rack), 6876, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 127, -1, 1},
	/* KafkaMetadataResponsePartition */
	{offsetof(KafkaMetadataResponsePartition, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponsePartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponsePartition, leader_id), 6708, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponsePartition, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 7, 127, 1, 0, -1, 1},
	{offsetof(KafkaMetadataResponsePartition, replica_nodes), 7445, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponsePartition, isr_nodes), 7458, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponsePartition, offline_replicas), 7467, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 0},
	/* KafkaMetadataResponseTopic */
	{offsetof(KafkaMetadataResponseTopic, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponseTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 12, 127, -1, 0},
	{offsetof(KafkaMetadataResponseTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 10, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponseTopic, is_internal), 7505, 0, KAFKA_TYPE_BOOL, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponseTopic, partitions), 6541, KAFKA_METADATA_RESPONSE_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaMetadataResponseTopic, topic_authorized_operations), 7516, 0, KAFKA_TYPE_INT32, 0, 8, 127, 1, 0, -1, 4},
	/* KafkaOffsetCommitRequestPartition */
	{offsetof(KafkaOffsetCommitRequestPartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetCommitRequestPartition, committed_offset), 7571, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetCommitRequestPartition, committed_leader_epoch), 7587, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 6, 127, 1, 0, -1, 1},
	{offsetof(KafkaOffsetCommitRequestPartition, committed_metadata), 7608, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaOffsetCommitRequestTopic */
	{offsetof(KafkaOffsetCommitRequestTopic, name), 6604, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 0, 9, 1, 0, -1, 0},
	{offsetof(KafkaOffsetCommitRequestTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 10, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetCommitRequestTopic, partitions), 6541, KAFKA_OFFSET_COMMIT_REQUEST_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetCommitResponsePartition */
	{offsetof(KafkaOffsetCommitResponsePartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetCommitResponsePartition, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetCommitResponseTopic */
	{offsetof(KafkaOffsetCommitResponseTopic, name), 6604, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 0, 9, 1, 0, -1, 0},
	{offsetof(KafkaOffsetCommitResponseTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 10, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetCommitResponseTopic, partitions), 6541, KAFKA_OFFSET_COMMIT_RESPONSE_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetFetchRequestTopic */
	{offsetof(KafkaOffsetFetchRequestTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 7, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchRequestTopic, partition_indexes), 7731, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 7, 1, 0, -1, 0},
	/* KafkaOffsetFetchRequestTopics */
	{offsetof(KafkaOffsetFetchRequestTopics, name), 6604, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 8, 9, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchRequestTopics, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 10, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchRequestTopics, partition_indexes), 7731, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 8, 127, 1, 0, -1, 0},
	/* KafkaOffsetFetchRequestGroup */
	{offsetof(KafkaOffsetFetchRequestGroup, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 8, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchRequestGroup, member_id), 744, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 9, 127, 9, 127, -1, 1},
	{offsetof(KafkaOffsetFetchRequestGroup, member_epoch), 4782, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 9, 127, 1, 0, -1, 1},
	{offsetof(KafkaOffsetFetchRequestGroup, topics), 84, KAFKA_OFFSET_FETCH_REQUEST_TOPICS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 8, 127, 8, 127, -1, 0},
	/* KafkaOffsetFetchResponsePartition */
	{offsetof(KafkaOffsetFetchResponsePartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 7, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponsePartition, committed_offset), 7571, 0, KAFKA_TYPE_INT64, 0, 0, 7, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponsePartition, committed_leader_epoch), 7587, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 5, 7, 1, 0, -1, 1},
	{offsetof(KafkaOffsetFetchResponsePartition, metadata), 7826, 0, KAFKA_TYPE_STRING, 0, 0, 7, 0, 7, -1, 0},
	{offsetof(KafkaOffsetFetchResponsePartition, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 7, 1, 0, -1, 0},
	/* KafkaOffsetFetchResponseTopic */
	{offsetof(KafkaOffsetFetchResponseTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 7, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponseTopic, partitions), 6541, KAFKA_OFFSET_FETCH_RESPONSE_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 7, 1, 0, -1, 0},
	/* KafkaOffsetFetchResponsePartitions */
	{offsetof(KafkaOffsetFetchResponsePartitions, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 8, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponsePartitions, committed_offset), 7571, 0, KAFKA_TYPE_INT64, 0, 8, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponsePartitions, committed_leader_epoch), 7587, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 8, 127, 1, 0, -1, 1},
	{offsetof(KafkaOffsetFetchResponsePartitions, metadata), 7826, 0, KAFKA_TYPE_STRING, 0, 8, 127, 8, 127, -1, 0},
	{offsetof(KafkaOffsetFetchResponsePartitions, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 8, 127, 1, 0, -1, 0},
	/* KafkaOffsetFetchResponseTopics */
	{offsetof(KafkaOffsetFetchResponseTopics, name), 6604, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 8, 9, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponseTopics, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 10, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponseTopics, partitions), 6541, KAFKA_OFFSET_FETCH_RESPONSE_PARTITIONS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 8, 127, 1, 0, -1, 0},
	/* KafkaOffsetFetchResponseGroup */
	{offsetof(KafkaOffsetFetchResponseGroup, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 8, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponseGroup, topics), 84, KAFKA_OFFSET_FETCH_RESPONSE_TOPICS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 8, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetFetchResponseGroup, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 8, 127, 1, 0, -1, 0},
	/* KafkaFindCoordinatorResponseCoordinator */
	{offsetof(KafkaFindCoordinatorResponseCoordinator, key), 889, 0, KAFKA_TYPE_STRING, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorResponseCoordinator, node_id), 954, 0, KAFKA_TYPE_INT32, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorResponseCoordinator, host), 961, 0, KAFKA_TYPE_STRING, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorResponseCoordinator, port), 966, 0, KAFKA_TYPE_INT32, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorResponseCoordinator, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaFindCoordinatorResponseCoordinator, error_message), 941, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 4, 127, 4, 127, -1, 0},
	/* KafkaJoinGroupRequestProtocol */
	{offsetof(KafkaJoinGroupRequestProtocol, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupRequestProtocol, metadata), 7826, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaJoinGroupResponseMember */
	{offsetof(KafkaJoinGroupResponseMember, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaJoinGroupResponseMember, group_instance_id), 753, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 5, 127, 5, 127, -1, 1},
	{offsetof(KafkaJoinGroupResponseMember, metadata), 7826, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaLeaveGroupRequestMemberIdentity */
	{offsetof(KafkaLeaveGroupRequestMemberIdentity, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaLeaveGroupRequestMemberIdentity, group_instance_id), 753, 0, KAFKA_TYPE_STRING, 0, 3, 127, 3, 127, -1, 1},
	{offsetof(KafkaLeaveGroupRequestMemberIdentity, reason), 1060, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 5, 127, 5, 127, -1, 1},
	/* KafkaLeaveGroupResponseMemberResponse */
	{offsetof(KafkaLeaveGroupResponseMemberResponse, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaLeaveGroupResponseMemberResponse, group_instance_id), 753, 0, KAFKA_TYPE_STRING, 0, 3, 127, 3, 127, -1, 0},
	{offsetof(KafkaLeaveGroupResponseMemberResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 3, 127, 1, 0, -1, 0},
	/* KafkaSyncGroupRequestAssignment */
	{offsetof(KafkaSyncGroupRequestAssignment, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaSyncGroupRequestAssignment, assignment), 1247, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeGroupsResponseDescribedGroupMember */
	{offsetof(KafkaDescribeGroupsResponseDescribedGroupMember, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroupMember, group_instance_id), 753, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 4, 127, 4, 127, -1, 1},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroupMember, client_id), 187, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroupMember, client_host), 8080, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroupMember, member_metadata), 8091, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroupMember, member_assignment), 8106, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeGroupsResponseDescribedGroup */
	{offsetof(KafkaDescribeGroupsResponseDescribedGroup, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroup, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 6, 127, 6, 127, -1, 1},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroup, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroup, group_state), 8138, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroup, protocol_type), 1037, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroup, protocol_data), 8149, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroup, members), 1120, KAFKA_DESCRIBE_GROUPS_RESPONSE_DESCRIBED_GROUP_MEMBER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeGroupsResponseDescribedGroup, authorized_operations), 8162, 0, KAFKA_TYPE_INT32, 0, 3, 127, 1, 0, -1, 4},
	/* KafkaListGroupsResponseListedGroup */
	{offsetof(KafkaListGroupsResponseListedGroup, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListGroupsResponseListedGroup, protocol_type), 1037, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListGroupsResponseListedGroup, group_state), 8138, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaListGroupsResponseListedGroup, group_type), 8195, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 0},
	/* KafkaApiVersionsResponseApiVersion */
	{offsetof(KafkaApiVersionsResponseApiVersion, api_key), 8216, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsResponseApiVersion, min_version), 8223, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsResponseApiVersion, max_version), 8234, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaApiVersionsResponseSupportedFeatureKey */
	{offsetof(KafkaApiVersionsResponseSupportedFeatureKey, name), 6604, 0, KAFKA_TYPE_STRING, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsResponseSupportedFeatureKey, min_version), 8223, 0, KAFKA_TYPE_INT16, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsResponseSupportedFeatureKey, max_version), 8234, 0, KAFKA_TYPE_INT16, 0, 3, 127, 1, 0, -1, 0},
	/* KafkaApiVersionsResponseFinalizedFeatureKey */
	{offsetof(KafkaApiVersionsResponseFinalizedFeatureKey, name), 6604, 0, KAFKA_TYPE_STRING, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsResponseFinalizedFeatureKey, max_version_level), 8285, 0, KAFKA_TYPE_INT16, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaApiVersionsResponseFinalizedFeatureKey, min_version_level), 8301, 0, KAFKA_TYPE_INT16, 0, 3, 127, 1, 0, -1, 0},
	/* KafkaCreateTopicsRequestCreatableReplicaAssignment */
	{offsetof(KafkaCreateTopicsRequestCreatableReplicaAssignment, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsRequestCreatableReplicaAssignment, broker_ids), 8344, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaCreateTopicsRequestCreatableTopicConfig */
	{offsetof(KafkaCreateTopicsRequestCreatableTopicConfig, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsRequestCreatableTopicConfig, value), 8375, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaCreateTopicsRequestCreatableTopic */
	{offsetof(KafkaCreateTopicsRequestCreatableTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsRequestCreatableTopic, num_partitions), 8396, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsRequestCreatableTopic, replication_factor), 8410, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsRequestCreatableTopic, assignments), 1217, KAFKA_CREATE_TOPICS_REQUEST_CREATABLE_REPLICA_ASSIGNMENT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsRequestCreatableTopic, configs), 8428, KAFKA_CREATE_TOPICS_REQUEST_CREATABLE_TOPIC_CONFIG, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaCreateTopicsResponseCreatableTopicConfigs */
	{offsetof(KafkaCreateTopicsResponseCreatableTopicConfigs, name), 6604, 0, KAFKA_TYPE_STRING, 0, 5, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicConfigs, value), 8375, 0, KAFKA_TYPE_STRING, 0, 5, 127, 5, 127, -1, 0},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicConfigs, read_only), 8458, 0, KAFKA_TYPE_BOOL, 0, 5, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicConfigs, config_source), 8467, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 1},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicConfigs, is_sensitive), 8480, 0, KAFKA_TYPE_BOOL, 0, 5, 127, 1, 0, -1, 0},
	/* KafkaCreateTopicsResponseCreatableTopicResult */
	{offsetof(KafkaCreateTopicsResponseCreatableTopicResult, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicResult, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 7, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicResult, error_message), 941, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 1, 127, 0, 127, -1, 0},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicResult, num_partitions), 8396, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 1},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicResult, replication_factor), 8410, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 1},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicResult, configs), 8428, KAFKA_CREATE_TOPICS_RESPONSE_CREATABLE_TOPIC_CONFIGS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 5, 127, 5, 127, -1, 0},
	{offsetof(KafkaCreateTopicsResponseCreatableTopicResult, topic_config_error_code), 8513, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, 0, 0},
	/* KafkaDeleteTopicsRequestDeleteTopicState */
	{offsetof(KafkaDeleteTopicsRequestDeleteTopicState, name), 6604, 0, KAFKA_TYPE_STRING, 0, 6, 127, 6, 127, -1, 1},
	{offsetof(KafkaDeleteTopicsRequestDeleteTopicState, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 6, 127, 1, 0, -1, 0},
	/* KafkaDeleteTopicsResponseDeletableTopicResult */
	{offsetof(KafkaDeleteTopicsResponseDeletableTopicResult, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 6, 127, -1, 0},
	{offsetof(KafkaDeleteTopicsResponseDeletableTopicResult, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 6, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteTopicsResponseDeletableTopicResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteTopicsResponseDeletableTopicResult, error_message), 941, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 5, 127, 5, 127, -1, 1},
	/* KafkaDeleteRecordsRequestDeleteRecordsPartition */
	{offsetof(KafkaDeleteRecordsRequestDeleteRecordsPartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteRecordsRequestDeleteRecordsPartition, offset), 7343, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteRecordsRequestDeleteRecordsTopic */
	{offsetof(KafkaDeleteRecordsRequestDeleteRecordsTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteRecordsRequestDeleteRecordsTopic, partitions), 6541, KAFKA_DELETE_RECORDS_REQUEST_DELETE_RECORDS_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteRecordsResponseDeleteRecordsPartitionResult */
	{offsetof(KafkaDeleteRecordsResponseDeleteRecordsPartitionResult, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteRecordsResponseDeleteRecordsPartitionResult, low_watermark), 8643, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteRecordsResponseDeleteRecordsPartitionResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteRecordsResponseDeleteRecordsTopicResult */
	{offsetof(KafkaDeleteRecordsResponseDeleteRecordsTopicResult, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteRecordsResponseDeleteRecordsTopicResult, partitions), 6541, KAFKA_DELETE_RECORDS_RESPONSE_DELETE_RECORDS_PARTITION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetForLeaderEpochRequestOffsetForLeaderPartition */
	{offsetof(KafkaOffsetForLeaderEpochRequestOffsetForLeaderPartition, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetForLeaderEpochRequestOffsetForLeaderPartition, current_leader_epoch), 6932, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 1},
	{offsetof(KafkaOffsetForLeaderEpochRequestOffsetForLeaderPartition, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetForLeaderEpochRequestOffsetForLeaderTopic */
	{offsetof(KafkaOffsetForLeaderEpochRequestOffsetForLeaderTopic, topic), 6535, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetForLeaderEpochRequestOffsetForLeaderTopic, partitions), 6541, KAFKA_OFFSET_FOR_LEADER_EPOCH_REQUEST_OFFSET_FOR_LEADER_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetForLeaderEpochResponseEpochEndOffset */
	{offsetof(KafkaOffsetForLeaderEpochResponseEpochEndOffset, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetForLeaderEpochResponseEpochEndOffset, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetForLeaderEpochResponseEpochEndOffset, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaOffsetForLeaderEpochResponseEpochEndOffset, end_offset), 7078, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 1},
	/* KafkaOffsetForLeaderEpochResponseOffsetForLeaderTopicResult */
	{offsetof(KafkaOffsetForLeaderEpochResponseOffsetForLeaderTopicResult, topic), 6535, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetForLeaderEpochResponseOffsetForLeaderTopicResult, partitions), 6541, KAFKA_OFFSET_FOR_LEADER_EPOCH_RESPONSE_EPOCH_END_OFFSET, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTopic */
	{offsetof(KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTopic, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTransaction */
	{offsetof(KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTransaction, transactional_id), 226, 0, KAFKA_TYPE_STRING, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTransaction, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTransaction, producer_epoch), 1824, 0, KAFKA_TYPE_INT16, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTransaction, verify_only), 8808, 0, KAFKA_TYPE_BOOL, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTransaction, topics), 84, KAFKA_ADD_PARTITIONS_TO_TXN_REQUEST_ADD_PARTITIONS_TO_TXN_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 4, 127, 1, 0, -1, 0},
	/* KafkaAddPartitionsToTxnResponseAddPartitionsToTxnPartitionResult */
	{offsetof(KafkaAddPartitionsToTxnResponseAddPartitionsToTxnPartitionResult, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnResponseAddPartitionsToTxnPartitionResult, partition_error_code), 8853, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAddPartitionsToTxnResponseAddPartitionsToTxnTopicResult */
	{offsetof(KafkaAddPartitionsToTxnResponseAddPartitionsToTxnTopicResult, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnResponseAddPartitionsToTxnTopicResult, results_by_partition), 8902, KAFKA_ADD_PARTITIONS_TO_TXN_RESPONSE_ADD_PARTITIONS_TO_TXN_PARTITION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAddPartitionsToTxnResponseAddPartitionsToTxnResult */
	{offsetof(KafkaAddPartitionsToTxnResponseAddPartitionsToTxnResult, transactional_id), 226, 0, KAFKA_TYPE_STRING, 0, 4, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddPartitionsToTxnResponseAddPartitionsToTxnResult, topic_results), 8946, KAFKA_ADD_PARTITIONS_TO_TXN_RESPONSE_ADD_PARTITIONS_TO_TXN_TOPIC_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 4, 127, 1, 0, -1, 0},
	/* KafkaWriteTxnMarkersRequestWritableTxnMarkerTopic */
	{offsetof(KafkaWriteTxnMarkersRequestWritableTxnMarkerTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteTxnMarkersRequestWritableTxnMarkerTopic, partition_indexes), 7731, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaWriteTxnMarkersRequestWritableTxnMarker */
	{offsetof(KafkaWriteTxnMarkersRequestWritableTxnMarker, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteTxnMarkersRequestWritableTxnMarker, producer_epoch), 1824, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteTxnMarkersRequestWritableTxnMarker, transaction_result), 9000, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteTxnMarkersRequestWritableTxnMarker, topics), 84, KAFKA_WRITE_TXN_MARKERS_REQUEST_WRITABLE_TXN_MARKER_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteTxnMarkersRequestWritableTxnMarker, coordinator_epoch), 9018, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteTxnMarkersRequestWritableTxnMarker, transaction_version), 9035, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 0},
	/* KafkaWriteTxnMarkersResponseWritableTxnMarkerPartitionResult */
	{offsetof(KafkaWriteTxnMarkersResponseWritableTxnMarkerPartitionResult, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteTxnMarkersResponseWritableTxnMarkerPartitionResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaWriteTxnMarkersResponseWritableTxnMarkerTopicResult */
	{offsetof(KafkaWriteTxnMarkersResponseWritableTxnMarkerTopicResult, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteTxnMarkersResponseWritableTxnMarkerTopicResult, partitions), 6541, KAFKA_WRITE_TXN_MARKERS_RESPONSE_WRITABLE_TXN_MARKER_PARTITION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaWriteTxnMarkersResponseWritableTxnMarkerResult */
	{offsetof(KafkaWriteTxnMarkersResponseWritableTxnMarkerResult, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteTxnMarkersResponseWritableTxnMarkerResult, topics), 84, KAFKA_WRITE_TXN_MARKERS_RESPONSE_WRITABLE_TXN_MARKER_TOPIC_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaTxnOffsetCommitRequestPartition */
	{offsetof(KafkaTxnOffsetCommitRequestPartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitRequestPartition, committed_offset), 7571, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitRequestPartition, committed_leader_epoch), 7587, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 2, 127, 1, 0, -1, 1},
	{offsetof(KafkaTxnOffsetCommitRequestPartition, committed_metadata), 7608, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaTxnOffsetCommitRequestTopic */
	{offsetof(KafkaTxnOffsetCommitRequestTopic, name), 6604, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 0, 5, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitRequestTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 6, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitRequestTopic, partitions), 6541, KAFKA_TXN_OFFSET_COMMIT_REQUEST_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaTxnOffsetCommitResponsePartition */
	{offsetof(KafkaTxnOffsetCommitResponsePartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitResponsePartition, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaTxnOffsetCommitResponseTopic */
	{offsetof(KafkaTxnOffsetCommitResponseTopic, name), 6604, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 0, 5, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitResponseTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 6, 127, 1, 0, -1, 0},
	{offsetof(KafkaTxnOffsetCommitResponseTopic, partitions), 6541, KAFKA_TXN_OFFSET_COMMIT_RESPONSE_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeAclsResponseAclDescription */
	{offsetof(KafkaDescribeAclsResponseAclDescription, principal), 9277, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeAclsResponseAclDescription, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeAclsResponseAclDescription, operation), 2480, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeAclsResponseAclDescription, permission_type), 2490, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeAclsResponseDescribeAclsResource */
	{offsetof(KafkaDescribeAclsResponseDescribeAclsResource, resource_type), 9308, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeAclsResponseDescribeAclsResource, resource_name), 9321, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeAclsResponseDescribeAclsResource, pattern_type), 9334, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 7},
	{offsetof(KafkaDescribeAclsResponseDescribeAclsResource, acls), 9346, KAFKA_DESCRIBE_ACLS_RESPONSE_ACL_DESCRIPTION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaCreateAclsRequestAclCreation */
	{offsetof(KafkaCreateAclsRequestAclCreation, resource_type), 9308, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateAclsRequestAclCreation, resource_name), 9321, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateAclsRequestAclCreation, resource_pattern_type), 9363, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 7},
	{offsetof(KafkaCreateAclsRequestAclCreation, principal), 9277, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateAclsRequestAclCreation, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateAclsRequestAclCreation, operation), 2480, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateAclsRequestAclCreation, permission_type), 2490, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaCreateAclsResponseAclCreationResult */
	{offsetof(KafkaCreateAclsResponseAclCreationResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateAclsResponseAclCreationResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaDeleteAclsRequestDeleteAclsFilter */
	{offsetof(KafkaDeleteAclsRequestDeleteAclsFilter, resource_type_filter), 2397, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteAclsRequestDeleteAclsFilter, resource_name_filter), 2416, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDeleteAclsRequestDeleteAclsFilter, pattern_type_filter), 2435, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 7},
	{offsetof(KafkaDeleteAclsRequestDeleteAclsFilter, principal_filter), 2453, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDeleteAclsRequestDeleteAclsFilter, host_filter), 2469, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDeleteAclsRequestDeleteAclsFilter, operation), 2480, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteAclsRequestDeleteAclsFilter, permission_type), 2490, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteAclsResponseDeleteAclsMatchingAcl */
	{offsetof(KafkaDeleteAclsResponseDeleteAclsMatchingAcl, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteAclsResponseDeleteAclsMatchingAcl, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDeleteAclsResponseDeleteAclsMatchingAcl, resource_type), 9308, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteAclsResponseDeleteAclsMatchingAcl, resource_name), 9321, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteAclsResponseDeleteAclsMatchingAcl, pattern_type), 9334, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 7},
	{offsetof(KafkaDeleteAclsResponseDeleteAclsMatchingAcl, principal), 9277, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteAclsResponseDeleteAclsMatchingAcl, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteAclsResponseDeleteAclsMatchingAcl, operation), 2480, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteAclsResponseDeleteAclsMatchingAcl, permission_type), 2490, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteAclsResponseDeleteAclsFilterResult */
	{offsetof(KafkaDeleteAclsResponseDeleteAclsFilterResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteAclsResponseDeleteAclsFilterResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDeleteAclsResponseDeleteAclsFilterResult, matching_acls), 9463, KAFKA_DELETE_ACLS_RESPONSE_DELETE_ACLS_MATCHING_ACL, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeConfigsRequestDescribeConfigsResource */
	{offsetof(KafkaDescribeConfigsRequestDescribeConfigsResource, resource_type), 9308, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsRequestDescribeConfigsResource, resource_name), 9321, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsRequestDescribeConfigsResource, configuration_keys), 9500, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeConfigsResponseDescribeConfigsSynonym */
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsSynonym, name), 6604, 0, KAFKA_TYPE_STRING, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsSynonym, value), 8375, 0, KAFKA_TYPE_STRING, 0, 1, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsSynonym, source), 9541, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 0},
	/* KafkaDescribeConfigsResponseDescribeConfigsResourceResult */
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResourceResult, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResourceResult, value), 8375, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResourceResult, read_only), 8458, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResourceResult, config_source), 8467, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResourceResult, is_sensitive), 8480, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResourceResult, synonyms), 9578, KAFKA_DESCRIBE_CONFIGS_RESPONSE_DESCRIBE_CONFIGS_SYNONYM, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResourceResult, config_type), 9587, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_IGNORABLE, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResourceResult, documentation), 9598, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 3, 127, 0, 127, -1, 0},
	/* KafkaDescribeConfigsResponseDescribeConfigsResult */
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResult, resource_type), 9308, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResult, resource_name), 9321, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeConfigsResponseDescribeConfigsResult, configs), 8428, KAFKA_DESCRIBE_CONFIGS_RESPONSE_DESCRIBE_CONFIGS_RESOURCE_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterConfigsRequestAlterableConfig */
	{offsetof(KafkaAlterConfigsRequestAlterableConfig, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterConfigsRequestAlterableConfig, value), 8375, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaAlterConfigsRequestAlterConfigsResource */
	{offsetof(KafkaAlterConfigsRequestAlterConfigsResource, resource_type), 9308, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterConfigsRequestAlterConfigsResource, resource_name), 9321, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterConfigsRequestAlterConfigsResource, configs), 8428, KAFKA_ALTER_CONFIGS_REQUEST_ALTERABLE_CONFIG, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterConfigsResponseAlterConfigsResourceResponse */
	{offsetof(KafkaAlterConfigsResponseAlterConfigsResourceResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterConfigsResponseAlterConfigsResourceResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaAlterConfigsResponseAlterConfigsResourceResponse, resource_type), 9308, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterConfigsResponseAlterConfigsResourceResponse, resource_name), 9321, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterReplicaLogDirsRequestAlterReplicaLogDirTopic */
	{offsetof(KafkaAlterReplicaLogDirsRequestAlterReplicaLogDirTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterReplicaLogDirsRequestAlterReplicaLogDirTopic, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterReplicaLogDirsRequestAlterReplicaLogDir */
	{offsetof(KafkaAlterReplicaLogDirsRequestAlterReplicaLogDir, path), 9743, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterReplicaLogDirsRequestAlterReplicaLogDir, topics), 84, KAFKA_ALTER_REPLICA_LOG_DIRS_REQUEST_ALTER_REPLICA_LOG_DIR_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterReplicaLogDirsResponseAlterReplicaLogDirPartitionResult */
	{offsetof(KafkaAlterReplicaLogDirsResponseAlterReplicaLogDirPartitionResult, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterReplicaLogDirsResponseAlterReplicaLogDirPartitionResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterReplicaLogDirsResponseAlterReplicaLogDirTopicResult */
	{offsetof(KafkaAlterReplicaLogDirsResponseAlterReplicaLogDirTopicResult, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterReplicaLogDirsResponseAlterReplicaLogDirTopicResult, partitions), 6541, KAFKA_ALTER_REPLICA_LOG_DIRS_RESPONSE_ALTER_REPLICA_LOG_DIR_PARTITION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeLogDirsRequestDescribableLogDirTopic */
	{offsetof(KafkaDescribeLogDirsRequestDescribableLogDirTopic, topic), 6535, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeLogDirsRequestDescribableLogDirTopic, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeLogDirsResponseDescribeLogDirsPartition */
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsPartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsPartition, partition_size), 9870, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsPartition, offset_lag), 9884, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsPartition, is_future_key), 9894, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeLogDirsResponseDescribeLogDirsTopic */
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsTopic, partitions), 6541, KAFKA_DESCRIBE_LOG_DIRS_RESPONSE_DESCRIBE_LOG_DIRS_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeLogDirsResponseDescribeLogDirsResult */
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsResult, log_dir), 9949, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsResult, topics), 84, KAFKA_DESCRIBE_LOG_DIRS_RESPONSE_DESCRIBE_LOG_DIRS_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsResult, total_bytes), 9956, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 4, 127, 1, 0, -1, 1},
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsResult, usable_bytes), 9967, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 4, 127, 1, 0, -1, 1},
	{offsetof(KafkaDescribeLogDirsResponseDescribeLogDirsResult, is_cordoned), 9979, 0, KAFKA_TYPE_BOOL, KAFKA_FIELD_IGNORABLE, 5, 127, 1, 0, -1, 0},
	/* KafkaCreatePartitionsRequestCreatePartitionsAssignment */
	{offsetof(KafkaCreatePartitionsRequestCreatePartitionsAssignment, broker_ids), 8344, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaCreatePartitionsRequestCreatePartitionsTopic */
	{offsetof(KafkaCreatePartitionsRequestCreatePartitionsTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreatePartitionsRequestCreatePartitionsTopic, count), 10039, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreatePartitionsRequestCreatePartitionsTopic, assignments), 1217, KAFKA_CREATE_PARTITIONS_REQUEST_CREATE_PARTITIONS_ASSIGNMENT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 0},
	/* KafkaCreatePartitionsResponseCreatePartitionsTopicResult */
	{offsetof(KafkaCreatePartitionsResponseCreatePartitionsTopicResult, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreatePartitionsResponseCreatePartitionsTopicResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreatePartitionsResponseCreatePartitionsTopicResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	/* KafkaCreateDelegationTokenRequestCreatableRenewers */
	{offsetof(KafkaCreateDelegationTokenRequestCreatableRenewers, principal_type), 3128, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaCreateDelegationTokenRequestCreatableRenewers, principal_name), 3142, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeDelegationTokenRequestDescribeDelegationTokenOwner */
	{offsetof(KafkaDescribeDelegationTokenRequestDescribeDelegationTokenOwner, principal_type), 3128, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenRequestDescribeDelegationTokenOwner, principal_name), 3142, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeDelegationTokenResponseDescribedDelegationTokenRenewer */
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationTokenRenewer, principal_type), 3128, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationTokenRenewer, principal_name), 3142, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeDelegationTokenResponseDescribedDelegationToken */
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken, principal_type), 3128, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken, principal_name), 3142, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken, token_requester_principal_type), 3156, 0, KAFKA_TYPE_STRING, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken, token_requester_principal_name), 3184, 0, KAFKA_TYPE_STRING, 0, 3, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken, issue_timestamp), 10177, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken, expiry_timestamp), 10192, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken, max_timestamp), 10208, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken, token_id), 3262, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken, hmac), 3270, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken, renewers), 3075, KAFKA_DESCRIBE_DELEGATION_TOKEN_RESPONSE_DESCRIBED_DELEGATION_TOKEN_RENEWER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteGroupsResponseDeletableGroupResult */
	{offsetof(KafkaDeleteGroupsResponseDeletableGroupResult, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteGroupsResponseDeletableGroupResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteGroupsResponseDeletableGroupResult, error_message), 941, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 3, 127, 3, 127, -1, 1},
	/* KafkaElectLeadersRequestTopicPartitions */
	{offsetof(KafkaElectLeadersRequestTopicPartitions, topic), 6535, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaElectLeadersRequestTopicPartitions, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaElectLeadersResponsePartitionResult */
	{offsetof(KafkaElectLeadersResponsePartitionResult, partition_id), 10274, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaElectLeadersResponsePartitionResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaElectLeadersResponsePartitionResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaElectLeadersResponseReplicaElectionResult */
	{offsetof(KafkaElectLeadersResponseReplicaElectionResult, topic), 6535, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaElectLeadersResponseReplicaElectionResult, partition_result), 10308, KAFKA_ELECT_LEADERS_RESPONSE_PARTITION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaIncrementalAlterConfigsRequestAlterableConfig */
	{offsetof(KafkaIncrementalAlterConfigsRequestAlterableConfig, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaIncrementalAlterConfigsRequestAlterableConfig, config_operation), 10324, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaIncrementalAlterConfigsRequestAlterableConfig, value), 8375, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaIncrementalAlterConfigsRequestAlterConfigsResource */
	{offsetof(KafkaIncrementalAlterConfigsRequestAlterConfigsResource, resource_type), 9308, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaIncrementalAlterConfigsRequestAlterConfigsResource, resource_name), 9321, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaIncrementalAlterConfigsRequestAlterConfigsResource, configs), 8428, KAFKA_INCREMENTAL_ALTER_CONFIGS_REQUEST_ALTERABLE_CONFIG, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaIncrementalAlterConfigsResponseAlterConfigsResourceResponse */
	{offsetof(KafkaIncrementalAlterConfigsResponseAlterConfigsResourceResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaIncrementalAlterConfigsResponseAlterConfigsResourceResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaIncrementalAlterConfigsResponseAlterConfigsResourceResponse, resource_type), 9308, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaIncrementalAlterConfigsResponseAlterConfigsResourceResponse, resource_name), 9321, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterPartitionReassignmentsRequestReassignablePartition */
	{offsetof(KafkaAlterPartitionReassignmentsRequestReassignablePartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterPartitionReassignmentsRequestReassignablePartition, replicas), 10362, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	/* KafkaAlterPartitionReassignmentsRequestReassignableTopic */
	{offsetof(KafkaAlterPartitionReassignmentsRequestReassignableTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterPartitionReassignmentsRequestReassignableTopic, partitions), 6541, KAFKA_ALTER_PARTITION_REASSIGNMENTS_REQUEST_REASSIGNABLE_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterPartitionReassignmentsResponseReassignablePartitionResponse */
	{offsetof(KafkaAlterPartitionReassignmentsResponseReassignablePartitionResponse, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterPartitionReassignmentsResponseReassignablePartitionResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterPartitionReassignmentsResponseReassignablePartitionResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaAlterPartitionReassignmentsResponseReassignableTopicResponse */
	{offsetof(KafkaAlterPartitionReassignmentsResponseReassignableTopicResponse, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterPartitionReassignmentsResponseReassignableTopicResponse, partitions), 6541, KAFKA_ALTER_PARTITION_REASSIGNMENTS_RESPONSE_REASSIGNABLE_PARTITION_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaListPartitionReassignmentsRequestListPartitionReassignmentsTopics */
	{offsetof(KafkaListPartitionReassignmentsRequestListPartitionReassignmentsTopics, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListPartitionReassignmentsRequestListPartitionReassignmentsTopics, partition_indexes), 7731, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaListPartitionReassignmentsResponseOngoingPartitionReassignment */
	{offsetof(KafkaListPartitionReassignmentsResponseOngoingPartitionReassignment, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListPartitionReassignmentsResponseOngoingPartitionReassignment, replicas), 10362, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListPartitionReassignmentsResponseOngoingPartitionReassignment, adding_replicas), 10507, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListPartitionReassignmentsResponseOngoingPartitionReassignment, removing_replicas), 10522, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaListPartitionReassignmentsResponseOngoingTopicReassignment */
	{offsetof(KafkaListPartitionReassignmentsResponseOngoingTopicReassignment, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListPartitionReassignmentsResponseOngoingTopicReassignment, partitions), 6541, KAFKA_LIST_PARTITION_REASSIGNMENTS_RESPONSE_ONGOING_PARTITION_REASSIGNMENT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetDeleteRequestPartition */
	{offsetof(KafkaOffsetDeleteRequestPartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetDeleteRequestTopic */
	{offsetof(KafkaOffsetDeleteRequestTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetDeleteRequestTopic, partitions), 6541, KAFKA_OFFSET_DELETE_REQUEST_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetDeleteResponsePartition */
	{offsetof(KafkaOffsetDeleteResponsePartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetDeleteResponsePartition, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaOffsetDeleteResponseTopic */
	{offsetof(KafkaOffsetDeleteResponseTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaOffsetDeleteResponseTopic, partitions), 6541, KAFKA_OFFSET_DELETE_RESPONSE_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeClientQuotasRequestComponentData */
	{offsetof(KafkaDescribeClientQuotasRequestComponentData, entity_type), 10688, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClientQuotasRequestComponentData, match_type), 10699, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClientQuotasRequestComponentData, match), 10709, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeClientQuotasResponseEntityData */
	{offsetof(KafkaDescribeClientQuotasResponseEntityData, entity_type), 10688, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClientQuotasResponseEntityData, entity_name), 10726, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeClientQuotasResponseValueData */
	{offsetof(KafkaDescribeClientQuotasResponseValueData, key), 889, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClientQuotasResponseValueData, value), 8375, 0, KAFKA_TYPE_FLOAT64, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeClientQuotasResponseEntryData */
	{offsetof(KafkaDescribeClientQuotasResponseEntryData, entity), 10757, KAFKA_DESCRIBE_CLIENT_QUOTAS_RESPONSE_ENTITY_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClientQuotasResponseEntryData, values), 10764, KAFKA_DESCRIBE_CLIENT_QUOTAS_RESPONSE_VALUE_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterClientQuotasRequestEntityData */
	{offsetof(KafkaAlterClientQuotasRequestEntityData, entity_type), 10688, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterClientQuotasRequestEntityData, entity_name), 10726, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaAlterClientQuotasRequestOpData */
	{offsetof(KafkaAlterClientQuotasRequestOpData, key), 889, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterClientQuotasRequestOpData, value), 8375, 0, KAFKA_TYPE_FLOAT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterClientQuotasRequestOpData, remove), 10778, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterClientQuotasRequestEntryData */
	{offsetof(KafkaAlterClientQuotasRequestEntryData, entity), 10757, KAFKA_ALTER_CLIENT_QUOTAS_REQUEST_ENTITY_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterClientQuotasRequestEntryData, ops), 10785, KAFKA_ALTER_CLIENT_QUOTAS_REQUEST_OP_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterClientQuotasResponseEntityData */
	{offsetof(KafkaAlterClientQuotasResponseEntityData, entity_type), 10688, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterClientQuotasResponseEntityData, entity_name), 10726, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaAlterClientQuotasResponseEntryData */
	{offsetof(KafkaAlterClientQuotasResponseEntryData, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterClientQuotasResponseEntryData, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaAlterClientQuotasResponseEntryData, entity), 10757, KAFKA_ALTER_CLIENT_QUOTAS_RESPONSE_ENTITY_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeUserScramCredentialsRequestUserName */
	{offsetof(KafkaDescribeUserScramCredentialsRequestUserName, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeUserScramCredentialsResponseCredentialInfo */
	{offsetof(KafkaDescribeUserScramCredentialsResponseCredentialInfo, mechanism), 1414, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeUserScramCredentialsResponseCredentialInfo, iterations), 10813, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeUserScramCredentialsResponseDescribeUserScramCredentialsResult */
	{offsetof(KafkaDescribeUserScramCredentialsResponseDescribeUserScramCredentialsResult, user), 10859, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeUserScramCredentialsResponseDescribeUserScramCredentialsResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeUserScramCredentialsResponseDescribeUserScramCredentialsResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeUserScramCredentialsResponseDescribeUserScramCredentialsResult, credential_infos), 10864, KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE_CREDENTIAL_INFO, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterUserScramCredentialsRequestScramCredentialDeletion */
	{offsetof(KafkaAlterUserScramCredentialsRequestScramCredentialDeletion, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterUserScramCredentialsRequestScramCredentialDeletion, mechanism), 1414, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterUserScramCredentialsRequestScramCredentialUpsertion */
	{offsetof(KafkaAlterUserScramCredentialsRequestScramCredentialUpsertion, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterUserScramCredentialsRequestScramCredentialUpsertion, mechanism), 1414, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterUserScramCredentialsRequestScramCredentialUpsertion, iterations), 10813, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterUserScramCredentialsRequestScramCredentialUpsertion, salt), 10929, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterUserScramCredentialsRequestScramCredentialUpsertion, salted_password), 10934, 0, KAFKA_TYPE_BYTES, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterUserScramCredentialsResponseAlterUserScramCredentialsResult */
	{offsetof(KafkaAlterUserScramCredentialsResponseAlterUserScramCredentialsResult, user), 10859, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterUserScramCredentialsResponseAlterUserScramCredentialsResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterUserScramCredentialsResponseAlterUserScramCredentialsResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeQuorumRequestPartitionData */
	{offsetof(KafkaDescribeQuorumRequestPartitionData, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeQuorumRequestTopicData */
	{offsetof(KafkaDescribeQuorumRequestTopicData, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumRequestTopicData, partitions), 6541, KAFKA_DESCRIBE_QUORUM_REQUEST_PARTITION_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeQuorumResponseReplicaState */
	{offsetof(KafkaDescribeQuorumResponseReplicaState, replica_id), 335, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponseReplicaState, replica_directory_id), 6998, 0, KAFKA_TYPE_UUID, 0, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponseReplicaState, log_end_offset), 10991, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponseReplicaState, last_fetch_timestamp), 11004, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaDescribeQuorumResponseReplicaState, last_caught_up_timestamp), 11023, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	/* KafkaDescribeQuorumResponsePartitionData */
	{offsetof(KafkaDescribeQuorumResponsePartitionData, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponsePartitionData, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponsePartitionData, error_message), 941, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 2, 127, 2, 127, -1, 0},
	{offsetof(KafkaDescribeQuorumResponsePartitionData, leader_id), 6708, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponsePartitionData, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponsePartitionData, high_watermark), 7017, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponsePartitionData, current_voters), 11045, KAFKA_DESCRIBE_QUORUM_RESPONSE_REPLICA_STATE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponsePartitionData, observers), 11059, KAFKA_DESCRIBE_QUORUM_RESPONSE_REPLICA_STATE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeQuorumResponseTopicData */
	{offsetof(KafkaDescribeQuorumResponseTopicData, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponseTopicData, partitions), 6541, KAFKA_DESCRIBE_QUORUM_RESPONSE_PARTITION_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeQuorumResponseListener */
	{offsetof(KafkaDescribeQuorumResponseListener, name), 6604, 0, KAFKA_TYPE_STRING, 0, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponseListener, host), 961, 0, KAFKA_TYPE_STRING, 0, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponseListener, port), 966, 0, KAFKA_TYPE_UINT16, 0, 2, 127, 1, 0, -1, 0},
	/* KafkaDescribeQuorumResponseNode */
	{offsetof(KafkaDescribeQuorumResponseNode, node_id), 954, 0, KAFKA_TYPE_INT32, 0, 2, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeQuorumResponseNode, listeners), 5501, KAFKA_DESCRIBE_QUORUM_RESPONSE_LISTENER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 2, 127, 1, 0, -1, 0},
	/* KafkaUpdateFeaturesRequestFeatureUpdateKey */
	{offsetof(KafkaUpdateFeaturesRequestFeatureUpdateKey, feature), 11100, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaUpdateFeaturesRequestFeatureUpdateKey, max_version_level), 8285, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaUpdateFeaturesRequestFeatureUpdateKey, allow_downgrade), 11108, 0, KAFKA_TYPE_BOOL, 0, 0, 0, 1, 0, -1, 0},
	{offsetof(KafkaUpdateFeaturesRequestFeatureUpdateKey, upgrade_type), 11123, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 3},
	/* KafkaUpdateFeaturesResponseUpdatableFeatureResult */
	{offsetof(KafkaUpdateFeaturesResponseUpdatableFeatureResult, feature), 11100, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaUpdateFeaturesResponseUpdatableFeatureResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaUpdateFeaturesResponseUpdatableFeatureResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeClusterResponseDescribeClusterBroker */
	{offsetof(KafkaDescribeClusterResponseDescribeClusterBroker, broker_id), 4488, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClusterResponseDescribeClusterBroker, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClusterResponseDescribeClusterBroker, port), 966, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeClusterResponseDescribeClusterBroker, rack), 6876, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaDescribeClusterResponseDescribeClusterBroker, is_fenced), 11180, 0, KAFKA_TYPE_BOOL, 0, 2, 127, 1, 0, -1, 0},
	/* KafkaDescribeProducersRequestTopicRequest */
	{offsetof(KafkaDescribeProducersRequestTopicRequest, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeProducersRequestTopicRequest, partition_indexes), 7731, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeProducersResponseProducerState */
	{offsetof(KafkaDescribeProducersResponseProducerState, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeProducersResponseProducerState, producer_epoch), 1824, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeProducersResponseProducerState, last_sequence), 11216, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 1},
	{offsetof(KafkaDescribeProducersResponseProducerState, last_timestamp), 11229, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 1},
	{offsetof(KafkaDescribeProducersResponseProducerState, coordinator_epoch), 9018, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeProducersResponseProducerState, current_txn_start_offset), 11243, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 1},
	/* KafkaDescribeProducersResponsePartitionResponse */
	{offsetof(KafkaDescribeProducersResponsePartitionResponse, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeProducersResponsePartitionResponse, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeProducersResponsePartitionResponse, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaDescribeProducersResponsePartitionResponse, active_producers), 11283, KAFKA_DESCRIBE_PRODUCERS_RESPONSE_PRODUCER_STATE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeProducersResponseTopicResponse */
	{offsetof(KafkaDescribeProducersResponseTopicResponse, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeProducersResponseTopicResponse, partitions), 6541, KAFKA_DESCRIBE_PRODUCERS_RESPONSE_PARTITION_RESPONSE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeTransactionsResponseTopicData */
	{offsetof(KafkaDescribeTransactionsResponseTopicData, topic), 6535, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTransactionsResponseTopicData, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeTransactionsResponseTransactionState */
	{offsetof(KafkaDescribeTransactionsResponseTransactionState, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTransactionsResponseTransactionState, transactional_id), 226, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTransactionsResponseTransactionState, transaction_state), 11330, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTransactionsResponseTransactionState, transaction_timeout_ms), 1792, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTransactionsResponseTransactionState, transaction_start_time_ms), 11347, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTransactionsResponseTransactionState, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTransactionsResponseTransactionState, producer_epoch), 1824, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTransactionsResponseTransactionState, topics), 84, KAFKA_DESCRIBE_TRANSACTIONS_RESPONSE_TOPIC_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaListTransactionsResponseTransactionState */
	{offsetof(KafkaListTransactionsResponseTransactionState, transactional_id), 226, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListTransactionsResponseTransactionState, producer_id), 1813, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListTransactionsResponseTransactionState, transaction_state), 11330, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaConsumerGroupHeartbeatRequestTopicPartitions */
	{offsetof(KafkaConsumerGroupHeartbeatRequestTopicPartitions, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupHeartbeatRequestTopicPartitions, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaConsumerGroupHeartbeatResponseTopicPartitions */
	{offsetof(KafkaConsumerGroupHeartbeatResponseTopicPartitions, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupHeartbeatResponseTopicPartitions, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaConsumerGroupHeartbeatResponseAssignment */
	{offsetof(KafkaConsumerGroupHeartbeatResponseAssignment, topic_partitions), 3587, KAFKA_CONSUMER_GROUP_HEARTBEAT_RESPONSE_TOPIC_PARTITIONS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaConsumerGroupDescribeResponseTopicPartitions */
	{offsetof(KafkaConsumerGroupDescribeResponseTopicPartitions, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseTopicPartitions, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseTopicPartitions, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaConsumerGroupDescribeResponseAssignment */
	{offsetof(KafkaConsumerGroupDescribeResponseAssignment, topic_partitions), 3587, KAFKA_CONSUMER_GROUP_DESCRIBE_RESPONSE_TOPIC_PARTITIONS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaConsumerGroupDescribeResponseMember */
	{offsetof(KafkaConsumerGroupDescribeResponseMember, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseMember, instance_id), 4794, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerGroupDescribeResponseMember, rack_id), 120, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerGroupDescribeResponseMember, member_epoch), 4782, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseMember, client_id), 187, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseMember, client_host), 8080, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseMember, subscribed_topic_names), 4805, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseMember, subscribed_topic_regex), 4826, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerGroupDescribeResponseMember, assignment), 1247, KAFKA_CONSUMER_GROUP_DESCRIBE_RESPONSE_ASSIGNMENT, KAFKA_TYPE_STRUCT, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseMember, target_assignment), 11388, KAFKA_CONSUMER_GROUP_DESCRIBE_RESPONSE_ASSIGNMENT, KAFKA_TYPE_STRUCT, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseMember, member_type), 11405, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	/* KafkaConsumerGroupDescribeResponseDescribedGroup */
	{offsetof(KafkaConsumerGroupDescribeResponseDescribedGroup, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseDescribedGroup, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaConsumerGroupDescribeResponseDescribedGroup, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseDescribedGroup, group_state), 8138, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseDescribedGroup, group_epoch), 11416, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseDescribedGroup, assignment_epoch), 11427, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseDescribedGroup, assignor_name), 11443, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseDescribedGroup, members), 1120, KAFKA_CONSUMER_GROUP_DESCRIBE_RESPONSE_MEMBER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaConsumerGroupDescribeResponseDescribedGroup, authorized_operations), 8162, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 4},
	/* KafkaListConfigResourcesResponseConfigResource */
	{offsetof(KafkaListConfigResourcesResponseConfigResource, resource_name), 9321, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaListConfigResourcesResponseConfigResource, resource_type), 9308, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 10},
	/* KafkaDescribeTopicPartitionsRequestTopicRequest */
	{offsetof(KafkaDescribeTopicPartitionsRequestTopicRequest, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeTopicPartitionsRequestCursor */
	{offsetof(KafkaDescribeTopicPartitionsRequestCursor, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsRequestCursor, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeTopicPartitionsResponsePartition */
	{offsetof(KafkaDescribeTopicPartitionsResponsePartition, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponsePartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponsePartition, leader_id), 6708, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponsePartition, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 0, 127, 1, 0, -1, 1},
	{offsetof(KafkaDescribeTopicPartitionsResponsePartition, replica_nodes), 7445, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponsePartition, isr_nodes), 7458, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponsePartition, eligible_leader_replicas), 11519, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaDescribeTopicPartitionsResponsePartition, last_known_elr), 11542, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaDescribeTopicPartitionsResponsePartition, offline_replicas), 7467, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY | KAFKA_FIELD_IGNORABLE, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeTopicPartitionsResponseTopic */
	{offsetof(KafkaDescribeTopicPartitionsResponseTopic, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponseTopic, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponseTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, KAFKA_FIELD_IGNORABLE, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponseTopic, is_internal), 7505, 0, KAFKA_TYPE_BOOL, KAFKA_FIELD_IGNORABLE, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponseTopic, partitions), 6541, KAFKA_DESCRIBE_TOPIC_PARTITIONS_RESPONSE_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponseTopic, topic_authorized_operations), 7516, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 4},
	/* KafkaDescribeTopicPartitionsResponseCursor */
	{offsetof(KafkaDescribeTopicPartitionsResponseCursor, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeTopicPartitionsResponseCursor, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaShareGroupHeartbeatResponseTopicPartitions */
	{offsetof(KafkaShareGroupHeartbeatResponseTopicPartitions, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupHeartbeatResponseTopicPartitions, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareGroupHeartbeatResponseAssignment */
	{offsetof(KafkaShareGroupHeartbeatResponseAssignment, topic_partitions), 3587, KAFKA_SHARE_GROUP_HEARTBEAT_RESPONSE_TOPIC_PARTITIONS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareGroupDescribeResponseTopicPartitions */
	{offsetof(KafkaShareGroupDescribeResponseTopicPartitions, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseTopicPartitions, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseTopicPartitions, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareGroupDescribeResponseAssignment */
	{offsetof(KafkaShareGroupDescribeResponseAssignment, topic_partitions), 3587, KAFKA_SHARE_GROUP_DESCRIBE_RESPONSE_TOPIC_PARTITIONS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareGroupDescribeResponseMember */
	{offsetof(KafkaShareGroupDescribeResponseMember, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseMember, rack_id), 120, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareGroupDescribeResponseMember, member_epoch), 4782, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseMember, client_id), 187, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseMember, client_host), 8080, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseMember, subscribed_topic_names), 4805, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseMember, assignment), 1247, KAFKA_SHARE_GROUP_DESCRIBE_RESPONSE_ASSIGNMENT, KAFKA_TYPE_STRUCT, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaShareGroupDescribeResponseDescribedGroup */
	{offsetof(KafkaShareGroupDescribeResponseDescribedGroup, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseDescribedGroup, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareGroupDescribeResponseDescribedGroup, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseDescribedGroup, group_state), 8138, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseDescribedGroup, group_epoch), 11416, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseDescribedGroup, assignment_epoch), 11427, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseDescribedGroup, assignor_name), 11443, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseDescribedGroup, members), 1120, KAFKA_SHARE_GROUP_DESCRIBE_RESPONSE_MEMBER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareGroupDescribeResponseDescribedGroup, authorized_operations), 8162, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 4},
	/* KafkaShareFetchRequestAcknowledgementBatch */
	{offsetof(KafkaShareFetchRequestAcknowledgementBatch, first_offset), 7118, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequestAcknowledgementBatch, last_offset), 11613, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequestAcknowledgementBatch, acknowledge_types), 11624, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareFetchRequestFetchPartition */
	{offsetof(KafkaShareFetchRequestFetchPartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequestFetchPartition, partition_max_bytes), 6980, 0, KAFKA_TYPE_INT32, 0, 0, 0, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequestFetchPartition, acknowledgement_batches), 11641, KAFKA_SHARE_FETCH_REQUEST_ACKNOWLEDGEMENT_BATCH, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareFetchRequestFetchTopic */
	{offsetof(KafkaShareFetchRequestFetchTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequestFetchTopic, partitions), 6541, KAFKA_SHARE_FETCH_REQUEST_FETCH_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareFetchRequestForgottenTopic */
	{offsetof(KafkaShareFetchRequestForgottenTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchRequestForgottenTopic, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareFetchResponseLeaderIdAndEpoch */
	{offsetof(KafkaShareFetchResponseLeaderIdAndEpoch, leader_id), 6708, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponseLeaderIdAndEpoch, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaShareFetchResponseAcquiredRecords */
	{offsetof(KafkaShareFetchResponseAcquiredRecords, first_offset), 7118, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponseAcquiredRecords, last_offset), 11613, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponseAcquiredRecords, delivery_count), 11680, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaShareFetchResponsePartitionData */
	{offsetof(KafkaShareFetchResponsePartitionData, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponsePartitionData, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponsePartitionData, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareFetchResponsePartitionData, acknowledge_error_code), 11694, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponsePartitionData, acknowledge_error_message), 11715, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareFetchResponsePartitionData, current_leader), 6809, KAFKA_SHARE_FETCH_RESPONSE_LEADER_ID_AND_EPOCH, KAFKA_TYPE_STRUCT, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponsePartitionData, records), 6579, 0, KAFKA_TYPE_RECORDS, 0, 0, 127, 0, 0, -1, 0},
	{offsetof(KafkaShareFetchResponsePartitionData, acquired_records), 11739, KAFKA_SHARE_FETCH_RESPONSE_ACQUIRED_RECORDS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareFetchResponseShareFetchableTopicResponse */
	{offsetof(KafkaShareFetchResponseShareFetchableTopicResponse, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponseShareFetchableTopicResponse, partitions), 6541, KAFKA_SHARE_FETCH_RESPONSE_PARTITION_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareFetchResponseNodeEndpoint */
	{offsetof(KafkaShareFetchResponseNodeEndpoint, node_id), 954, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponseNodeEndpoint, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponseNodeEndpoint, port), 966, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareFetchResponseNodeEndpoint, rack), 6876, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	/* KafkaShareAcknowledgeRequestAcknowledgementBatch */
	{offsetof(KafkaShareAcknowledgeRequestAcknowledgementBatch, first_offset), 7118, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeRequestAcknowledgementBatch, last_offset), 11613, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeRequestAcknowledgementBatch, acknowledge_types), 11624, 0, KAFKA_TYPE_INT8, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareAcknowledgeRequestAcknowledgePartition */
	{offsetof(KafkaShareAcknowledgeRequestAcknowledgePartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeRequestAcknowledgePartition, acknowledgement_batches), 11641, KAFKA_SHARE_ACKNOWLEDGE_REQUEST_ACKNOWLEDGEMENT_BATCH, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareAcknowledgeRequestAcknowledgeTopic */
	{offsetof(KafkaShareAcknowledgeRequestAcknowledgeTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeRequestAcknowledgeTopic, partitions), 6541, KAFKA_SHARE_ACKNOWLEDGE_REQUEST_ACKNOWLEDGE_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareAcknowledgeResponseLeaderIdAndEpoch */
	{offsetof(KafkaShareAcknowledgeResponseLeaderIdAndEpoch, leader_id), 6708, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponseLeaderIdAndEpoch, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaShareAcknowledgeResponsePartitionData */
	{offsetof(KafkaShareAcknowledgeResponsePartitionData, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponsePartitionData, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponsePartitionData, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaShareAcknowledgeResponsePartitionData, current_leader), 6809, KAFKA_SHARE_ACKNOWLEDGE_RESPONSE_LEADER_ID_AND_EPOCH, KAFKA_TYPE_STRUCT, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaShareAcknowledgeResponseShareAcknowledgeTopicResponse */
	{offsetof(KafkaShareAcknowledgeResponseShareAcknowledgeTopicResponse, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponseShareAcknowledgeTopicResponse, partitions), 6541, KAFKA_SHARE_ACKNOWLEDGE_RESPONSE_PARTITION_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaShareAcknowledgeResponseNodeEndpoint */
	{offsetof(KafkaShareAcknowledgeResponseNodeEndpoint, node_id), 954, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponseNodeEndpoint, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponseNodeEndpoint, port), 966, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaShareAcknowledgeResponseNodeEndpoint, rack), 6876, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	/* KafkaAddRaftVoterRequestListener */
	{offsetof(KafkaAddRaftVoterRequestListener, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddRaftVoterRequestListener, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAddRaftVoterRequestListener, port), 966, 0, KAFKA_TYPE_UINT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaInitializeShareGroupStateRequestPartitionData */
	{offsetof(KafkaInitializeShareGroupStateRequestPartitionData, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitializeShareGroupStateRequestPartitionData, state_epoch), 11851, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitializeShareGroupStateRequestPartitionData, start_offset), 11862, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaInitializeShareGroupStateRequestInitializeStateData */
	{offsetof(KafkaInitializeShareGroupStateRequestInitializeStateData, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitializeShareGroupStateRequestInitializeStateData, partitions), 6541, KAFKA_INITIALIZE_SHARE_GROUP_STATE_REQUEST_PARTITION_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaInitializeShareGroupStateResponsePartitionResult */
	{offsetof(KafkaInitializeShareGroupStateResponsePartitionResult, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitializeShareGroupStateResponsePartitionResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitializeShareGroupStateResponsePartitionResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	/* KafkaInitializeShareGroupStateResponseInitializeStateResult */
	{offsetof(KafkaInitializeShareGroupStateResponseInitializeStateResult, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaInitializeShareGroupStateResponseInitializeStateResult, partitions), 6541, KAFKA_INITIALIZE_SHARE_GROUP_STATE_RESPONSE_PARTITION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateRequestPartitionData */
	{offsetof(KafkaReadShareGroupStateRequestPartitionData, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateRequestPartitionData, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateRequestReadStateData */
	{offsetof(KafkaReadShareGroupStateRequestReadStateData, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateRequestReadStateData, partitions), 6541, KAFKA_READ_SHARE_GROUP_STATE_REQUEST_PARTITION_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateResponseStateBatch */
	{offsetof(KafkaReadShareGroupStateResponseStateBatch, first_offset), 7118, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateResponseStateBatch, last_offset), 11613, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateResponseStateBatch, delivery_state), 11941, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateResponseStateBatch, delivery_count), 11680, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateResponsePartitionResult */
	{offsetof(KafkaReadShareGroupStateResponsePartitionResult, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateResponsePartitionResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateResponsePartitionResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaReadShareGroupStateResponsePartitionResult, state_epoch), 11851, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateResponsePartitionResult, start_offset), 11862, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateResponsePartitionResult, state_batches), 11955, KAFKA_READ_SHARE_GROUP_STATE_RESPONSE_STATE_BATCH, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateResponseReadStateResult */
	{offsetof(KafkaReadShareGroupStateResponseReadStateResult, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateResponseReadStateResult, partitions), 6541, KAFKA_READ_SHARE_GROUP_STATE_RESPONSE_PARTITION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaWriteShareGroupStateRequestStateBatch */
	{offsetof(KafkaWriteShareGroupStateRequestStateBatch, first_offset), 7118, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateRequestStateBatch, last_offset), 11613, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateRequestStateBatch, delivery_state), 11941, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateRequestStateBatch, delivery_count), 11680, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaWriteShareGroupStateRequestPartitionData */
	{offsetof(KafkaWriteShareGroupStateRequestPartitionData, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateRequestPartitionData, state_epoch), 11851, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateRequestPartitionData, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateRequestPartitionData, start_offset), 11862, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateRequestPartitionData, delivery_complete_count), 11984, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaWriteShareGroupStateRequestPartitionData, state_batches), 11955, KAFKA_WRITE_SHARE_GROUP_STATE_REQUEST_STATE_BATCH, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaWriteShareGroupStateRequestWriteStateData */
	{offsetof(KafkaWriteShareGroupStateRequestWriteStateData, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateRequestWriteStateData, partitions), 6541, KAFKA_WRITE_SHARE_GROUP_STATE_REQUEST_PARTITION_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaWriteShareGroupStateResponsePartitionResult */
	{offsetof(KafkaWriteShareGroupStateResponsePartitionResult, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateResponsePartitionResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateResponsePartitionResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	/* KafkaWriteShareGroupStateResponseWriteStateResult */
	{offsetof(KafkaWriteShareGroupStateResponseWriteStateResult, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaWriteShareGroupStateResponseWriteStateResult, partitions), 6541, KAFKA_WRITE_SHARE_GROUP_STATE_RESPONSE_PARTITION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteShareGroupStateRequestPartitionData */
	{offsetof(KafkaDeleteShareGroupStateRequestPartitionData, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteShareGroupStateRequestDeleteStateData */
	{offsetof(KafkaDeleteShareGroupStateRequestDeleteStateData, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupStateRequestDeleteStateData, partitions), 6541, KAFKA_DELETE_SHARE_GROUP_STATE_REQUEST_PARTITION_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteShareGroupStateResponsePartitionResult */
	{offsetof(KafkaDeleteShareGroupStateResponsePartitionResult, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupStateResponsePartitionResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupStateResponsePartitionResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	/* KafkaDeleteShareGroupStateResponseDeleteStateResult */
	{offsetof(KafkaDeleteShareGroupStateResponseDeleteStateResult, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupStateResponseDeleteStateResult, partitions), 6541, KAFKA_DELETE_SHARE_GROUP_STATE_RESPONSE_PARTITION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateSummaryRequestPartitionData */
	{offsetof(KafkaReadShareGroupStateSummaryRequestPartitionData, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateSummaryRequestPartitionData, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateSummaryRequestReadStateSummaryData */
	{offsetof(KafkaReadShareGroupStateSummaryRequestReadStateSummaryData, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateSummaryRequestReadStateSummaryData, partitions), 6541, KAFKA_READ_SHARE_GROUP_STATE_SUMMARY_REQUEST_PARTITION_DATA, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaReadShareGroupStateSummaryResponsePartitionResult */
	{offsetof(KafkaReadShareGroupStateSummaryResponsePartitionResult, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateSummaryResponsePartitionResult, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateSummaryResponsePartitionResult, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaReadShareGroupStateSummaryResponsePartitionResult, state_epoch), 11851, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateSummaryResponsePartitionResult, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateSummaryResponsePartitionResult, start_offset), 11862, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateSummaryResponsePartitionResult, delivery_complete_count), 11984, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	/* KafkaReadShareGroupStateSummaryResponseReadStateSummaryResult */
	{offsetof(KafkaReadShareGroupStateSummaryResponseReadStateSummaryResult, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaReadShareGroupStateSummaryResponseReadStateSummaryResult, partitions), 6541, KAFKA_READ_SHARE_GROUP_STATE_SUMMARY_RESPONSE_PARTITION_RESULT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatRequestKeyValue */
	{offsetof(KafkaStreamsGroupHeartbeatRequestKeyValue, key), 889, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestKeyValue, value), 8375, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatRequestTopicInfo */
	{offsetof(KafkaStreamsGroupHeartbeatRequestTopicInfo, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestTopicInfo, partitions), 6541, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestTopicInfo, replication_factor), 8410, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestTopicInfo, topic_configs), 12135, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_KEY_VALUE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatRequestCopartitionGroup */
	{offsetof(KafkaStreamsGroupHeartbeatRequestCopartitionGroup, source_topics), 12165, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestCopartitionGroup, source_topic_regex), 12178, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestCopartitionGroup, repartition_source_topics), 12195, 0, KAFKA_TYPE_INT16, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatRequestSubtopology */
	{offsetof(KafkaStreamsGroupHeartbeatRequestSubtopology, subtopology_id), 12231, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestSubtopology, source_topics), 12165, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestSubtopology, source_topic_regex), 12178, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestSubtopology, state_changelog_topics), 12245, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_TOPIC_INFO, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestSubtopology, repartition_sink_topics), 12266, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestSubtopology, repartition_source_topics), 12195, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_TOPIC_INFO, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestSubtopology, copartition_groups), 12288, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_COPARTITION_GROUP, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatRequestTopology */
	{offsetof(KafkaStreamsGroupHeartbeatRequestTopology, epoch), 7072, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestTopology, subtopologies), 12315, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST_SUBTOPOLOGY, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatRequestTaskIds */
	{offsetof(KafkaStreamsGroupHeartbeatRequestTaskIds, subtopology_id), 12231, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestTaskIds, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatRequestEndpoint */
	{offsetof(KafkaStreamsGroupHeartbeatRequestEndpoint, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestEndpoint, port), 966, 0, KAFKA_TYPE_UINT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatRequestTaskOffset */
	{offsetof(KafkaStreamsGroupHeartbeatRequestTaskOffset, subtopology_id), 12231, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestTaskOffset, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatRequestTaskOffset, offset), 7343, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatResponseStatus */
	{offsetof(KafkaStreamsGroupHeartbeatResponseStatus, status_code), 12364, 0, KAFKA_TYPE_INT8, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponseStatus, status_detail), 12375, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatResponseTaskIds */
	{offsetof(KafkaStreamsGroupHeartbeatResponseTaskIds, subtopology_id), 12231, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponseTaskIds, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatResponseEndpoint */
	{offsetof(KafkaStreamsGroupHeartbeatResponseEndpoint, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponseEndpoint, port), 966, 0, KAFKA_TYPE_UINT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatResponseTopicPartition */
	{offsetof(KafkaStreamsGroupHeartbeatResponseTopicPartition, topic), 6535, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponseTopicPartition, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupHeartbeatResponseEndpointToPartitions */
	{offsetof(KafkaStreamsGroupHeartbeatResponseEndpointToPartitions, user_endpoint), 6013, KAFKA_STREAMS_GROUP_HEARTBEAT_RESPONSE_ENDPOINT, KAFKA_TYPE_STRUCT, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponseEndpointToPartitions, active_partitions), 12409, KAFKA_STREAMS_GROUP_HEARTBEAT_RESPONSE_TOPIC_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupHeartbeatResponseEndpointToPartitions, standby_partitions), 12426, KAFKA_STREAMS_GROUP_HEARTBEAT_RESPONSE_TOPIC_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseKeyValue */
	{offsetof(KafkaStreamsGroupDescribeResponseKeyValue, key), 889, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseKeyValue, value), 8375, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseTopicInfo */
	{offsetof(KafkaStreamsGroupDescribeResponseTopicInfo, name), 6604, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopicInfo, partitions), 6541, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopicInfo, replication_factor), 8410, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopicInfo, topic_configs), 12135, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_KEY_VALUE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseSubtopology */
	{offsetof(KafkaStreamsGroupDescribeResponseSubtopology, subtopology_id), 12231, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseSubtopology, source_topics), 12165, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseSubtopology, repartition_sink_topics), 12266, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseSubtopology, state_changelog_topics), 12245, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TOPIC_INFO, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseSubtopology, repartition_source_topics), 12195, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TOPIC_INFO, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseTopology */
	{offsetof(KafkaStreamsGroupDescribeResponseTopology, epoch), 7072, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopology, subtopologies), 12315, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_SUBTOPOLOGY, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 1},
	/* KafkaStreamsGroupDescribeResponseEndpoint */
	{offsetof(KafkaStreamsGroupDescribeResponseEndpoint, host), 961, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseEndpoint, port), 966, 0, KAFKA_TYPE_UINT16, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseTaskOffset */
	{offsetof(KafkaStreamsGroupDescribeResponseTaskOffset, subtopology_id), 12231, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTaskOffset, partition), 6922, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTaskOffset, offset), 7343, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseTaskIds */
	{offsetof(KafkaStreamsGroupDescribeResponseTaskIds, subtopology_id), 12231, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTaskIds, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseAssignment */
	{offsetof(KafkaStreamsGroupDescribeResponseAssignment, active_tasks), 5966, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TASK_IDS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseAssignment, standby_tasks), 5978, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TASK_IDS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseAssignment, warmup_tasks), 5991, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TASK_IDS, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseMember */
	{offsetof(KafkaStreamsGroupDescribeResponseMember, member_id), 744, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, member_epoch), 4782, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, instance_id), 4794, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, rack_id), 120, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, client_id), 187, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, client_host), 8080, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, topology_epoch), 12444, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, process_id), 6003, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, user_endpoint), 6013, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_ENDPOINT, KAFKA_TYPE_STRUCT, KAFKA_FIELD_POINTER, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, client_tags), 6026, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_KEY_VALUE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, task_offsets), 6037, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TASK_OFFSET, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, task_end_offsets), 6049, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TASK_OFFSET, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, assignment), 1247, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_ASSIGNMENT, KAFKA_TYPE_STRUCT, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, target_assignment), 11388, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_ASSIGNMENT, KAFKA_TYPE_STRUCT, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseMember, is_classic), 12458, 0, KAFKA_TYPE_BOOL, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseTopologyDescriptionNode */
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescriptionNode, name), 6604, 0, KAFKA_TYPE_STRING, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescriptionNode, node_type), 12492, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescriptionNode, source_topics), 12165, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescriptionNode, sink_topic), 12501, 0, KAFKA_TYPE_STRING, 0, 1, 127, 1, 127, -1, 1},
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescriptionNode, stores), 12511, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescriptionNode, successors), 12518, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_ARRAY, 1, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseTopologyDescriptionSubtopology */
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescriptionSubtopology, subtopology_id), 12231, 0, KAFKA_TYPE_STRING, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescriptionSubtopology, nodes), 4266, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TOPOLOGY_DESCRIPTION_NODE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 1, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseTopologyDescriptionGlobalStore */
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescriptionGlobalStore, source), 9541, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TOPOLOGY_DESCRIPTION_NODE, KAFKA_TYPE_STRUCT, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescriptionGlobalStore, processor), 12591, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TOPOLOGY_DESCRIPTION_NODE, KAFKA_TYPE_STRUCT, 0, 1, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseTopologyDescription */
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescription, subtopologies), 12315, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TOPOLOGY_DESCRIPTION_SUBTOPOLOGY, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseTopologyDescription, global_stores), 12621, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TOPOLOGY_DESCRIPTION_GLOBAL_STORE, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 1, 127, 1, 0, -1, 0},
	/* KafkaStreamsGroupDescribeResponseDescribedGroup */
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, group_state), 8138, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, group_epoch), 11416, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, assignment_epoch), 11427, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, topology), 5957, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TOPOLOGY, KAFKA_TYPE_STRUCT, KAFKA_FIELD_POINTER, 0, 127, 0, 127, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, members), 1120, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_MEMBER, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, authorized_operations), 8162, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 4},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, topology_description), 12634, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE_TOPOLOGY_DESCRIPTION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_POINTER, 1, 127, 1, 127, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, topology_description_status), 12654, 0, KAFKA_TYPE_INT8, 0, 1, 127, 1, 0, -1, 0},
	{offsetof(KafkaStreamsGroupDescribeResponseDescribedGroup, assignor_name), 11443, 0, KAFKA_TYPE_STRING, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 127, -1, 1},
	/* KafkaDescribeShareGroupOffsetsRequestTopic */
	{offsetof(KafkaDescribeShareGroupOffsetsRequestTopic, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsRequestTopic, partitions), 6541, 0, KAFKA_TYPE_INT32, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeShareGroupOffsetsRequestGroup */
	{offsetof(KafkaDescribeShareGroupOffsetsRequestGroup, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsRequestGroup, topics), 84, KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_REQUEST_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 0, 127, -1, 0},
	/* KafkaDescribeShareGroupOffsetsResponsePartition */
	{offsetof(KafkaDescribeShareGroupOffsetsResponsePartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsResponsePartition, start_offset), 11862, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsResponsePartition, leader_epoch), 6717, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsResponsePartition, lag), 12799, 0, KAFKA_TYPE_INT64, KAFKA_FIELD_IGNORABLE, 1, 127, 1, 0, -1, 1},
	{offsetof(KafkaDescribeShareGroupOffsetsResponsePartition, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsResponsePartition, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	/* KafkaDescribeShareGroupOffsetsResponseTopic */
	{offsetof(KafkaDescribeShareGroupOffsetsResponseTopic, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsResponseTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsResponseTopic, partitions), 6541, KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDescribeShareGroupOffsetsResponseGroup */
	{offsetof(KafkaDescribeShareGroupOffsetsResponseGroup, group_id), 710, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsResponseGroup, topics), 84, KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE_TOPIC, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsResponseGroup, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDescribeShareGroupOffsetsResponseGroup, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	/* KafkaAlterShareGroupOffsetsRequestPartition */
	{offsetof(KafkaAlterShareGroupOffsetsRequestPartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterShareGroupOffsetsRequestPartition, start_offset), 11862, 0, KAFKA_TYPE_INT64, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterShareGroupOffsetsRequestTopic */
	{offsetof(KafkaAlterShareGroupOffsetsRequestTopic, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterShareGroupOffsetsRequestTopic, partitions), 6541, KAFKA_ALTER_SHARE_GROUP_OFFSETS_REQUEST_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaAlterShareGroupOffsetsResponsePartition */
	{offsetof(KafkaAlterShareGroupOffsetsResponsePartition, partition_index), 7144, 0, KAFKA_TYPE_INT32, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterShareGroupOffsetsResponsePartition, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterShareGroupOffsetsResponsePartition, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
	/* KafkaAlterShareGroupOffsetsResponseTopic */
	{offsetof(KafkaAlterShareGroupOffsetsResponseTopic, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterShareGroupOffsetsResponseTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaAlterShareGroupOffsetsResponseTopic, partitions), 6541, KAFKA_ALTER_SHARE_GROUP_OFFSETS_RESPONSE_PARTITION, KAFKA_TYPE_STRUCT, KAFKA_FIELD_ARRAY, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteShareGroupOffsetsRequestTopic */
	{offsetof(KafkaDeleteShareGroupOffsetsRequestTopic, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	/* KafkaDeleteShareGroupOffsetsResponseTopic */
	{offsetof(KafkaDeleteShareGroupOffsetsResponseTopic, topic_name), 9812, 0, KAFKA_TYPE_STRING, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupOffsetsResponseTopic, topic_id), 6609, 0, KAFKA_TYPE_UUID, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupOffsetsResponseTopic, error_code), 468, 0, KAFKA_TYPE_INT16, 0, 0, 127, 1, 0, -1, 0},
	{offsetof(KafkaDeleteShareGroupOffsetsResponseTopic, error_message), 941, 0, KAFKA_TYPE_STRING, 0, 0, 127, 0, 127, -1, 1},
};

/* first field, fields without and with a tag, name, size in memory, fewest bytes on the wire */
const KafkaStruct pgt_kafka_structs[] = {
	{0, 2, 0, 0, sizeof(KafkaConsumerProtocolAssignment), 8},
	{2, 5, 0, 55, sizeof(KafkaConsumerProtocolSubscription), 8},
	{7, 4, 0, 127, sizeof(KafkaRequestHeader), 10},
	{11, 1, 0, 196, sizeof(KafkaResponseHeader), 4},
	{12, 4, 0, 211, sizeof(KafkaProduceRequest), 9},
	{16, 2, 1, 267, sizeof(KafkaProduceResponse), 6},
	{19, 10, 2, 322, sizeof(KafkaFetchRequest), 21},
	{31, 4, 1, 454, sizeof(KafkaFetchResponse), 8},
	{36, 4, 0, 478, sizeof(KafkaListOffsetsRequest), 7},
	{40, 2, 0, 497, sizeof(KafkaListOffsetsResponse), 4},
	{42, 4, 0, 517, sizeof(KafkaMetadataRequest), 4},
	{46, 7, 0, 624, sizeof(KafkaMetadataResponse), 8},
	{53, 6, 0, 690, sizeof(KafkaOffsetCommitRequest), 9},
	{59, 2, 0, 785, sizeof(KafkaOffsetCommitResponse), 4},
	{61, 4, 0, 806, sizeof(KafkaOffsetFetchRequest), 3},
	{65, 4, 0, 846, sizeof(KafkaOffsetFetchResponse), 4},
	{69, 3, 0, 866, sizeof(KafkaFindCoordinatorRequest), 2},
	{72, 7, 0, 917, sizeof(KafkaFindCoordinatorResponse), 6},
	{79, 8, 0, 984, sizeof(KafkaJoinGroupRequest), 14},
	{87, 9, 0, 1067, sizeof(KafkaJoinGroupResponse), 15},
	{96, 4, 0, 1128, sizeof(KafkaHeartbeatRequest), 8},
	{100, 2, 0, 1145, sizeof(KafkaHeartbeatResponse), 2},
	{102, 3, 0, 1163, sizeof(KafkaLeaveGroupRequest), 3},
	{105, 3, 0, 1181, sizeof(KafkaLeaveGroupResponse), 2},
	{108, 7, 0, 1200, sizeof(KafkaSyncGroupRequest), 9},
	{115, 5, 0, 1229, sizeof(KafkaSyncGroupResponse), 6},
	{120, 2, 0, 1258, sizeof(KafkaDescribeGroupsRequest), 3},
	{122, 2, 0, 1308, sizeof(KafkaDescribeGroupsResponse), 4},
	{124, 2, 0, 1331, sizeof(KafkaListGroupsRequest), 0},
	{126, 3, 0, 1374, sizeof(KafkaListGroupsResponse), 6},
	{129, 1, 0, 1393, sizeof(KafkaSaslHandshakeRequest), 2},
	{130, 2, 0, 1424, sizeof(KafkaSaslHandshakeResponse), 6},
	{132, 4, 0, 1457, sizeof(KafkaApiVersionsRequest), 0},
	{136, 3, 4, 1517, sizeof(KafkaApiVersionsResponse), 6},
	{143, 3, 0, 1621, sizeof(KafkaCreateTopicsRequest), 7},
	{146, 2, 0, 1654, sizeof(KafkaCreateTopicsResponse), 6},
	{148, 3, 0, 1675, sizeof(KafkaDeleteTopicsRequest), 6},
	{151, 2, 0, 1706, sizeof(KafkaDeleteTopicsResponse), 6},
	{153, 2, 0, 1727, sizeof(KafkaDeleteRecordsRequest), 6},
	{155, 2, 0, 1748, sizeof(KafkaDeleteRecordsResponse), 6},
	{157, 6, 0, 1770, sizeof(KafkaInitProducerIdRequest), 6},
	{163, 6, 0, 1864, sizeof(KafkaInitProducerIdResponse), 16},
	{169, 2, 0, 1932, sizeof(KafkaOffsetForLeaderEpochRequest), 4},
	{171, 2, 0, 1960, sizeof(KafkaOffsetForLeaderEpochResponse), 6},
	{173, 5, 0, 1989, sizeof(KafkaAddPartitionsToTxnRequest), 2},
	{178, 4, 0, 2116, sizeof(KafkaAddPartitionsToTxnResponse), 6},
	{182, 4, 0, 2189, sizeof(KafkaAddOffsetsToTxnRequest), 13},
	{186, 2, 0, 2212, sizeof(KafkaAddOffsetsToTxnResponse), 6},
	{188, 4, 0, 2236, sizeof(KafkaEndTxnRequest), 13},
	{192, 4, 0, 2260, sizeof(KafkaEndTxnResponse), 6},
	{196, 1, 0, 2275, sizeof(KafkaWriteTxnMarkersRequest), 2},
	{197, 1, 0, 2306, sizeof(KafkaWriteTxnMarkersResponse), 2},
	{198, 8, 0, 2330, sizeof(KafkaTxnOffsetCommitRequest), 18},
	{206, 2, 0, 2353, sizeof(KafkaTxnOffsetCommitResponse), 6},
	{208, 7, 0, 2377, sizeof(KafkaDescribeAclsRequest), 8},
	{215, 4, 0, 2505, sizeof(KafkaDescribeAclsResponse), 9},
	{219, 1, 0, 2536, sizeof(KafkaCreateAclsRequest), 2},
	{220, 2, 0, 2564, sizeof(KafkaCreateAclsResponse), 6},
	{222, 1, 0, 2591, sizeof(KafkaDeleteAclsRequest), 2},
	{223, 2, 0, 2617, sizeof(KafkaDeleteAclsResponse), 6},
	{225, 3, 0, 2650, sizeof(KafkaDescribeConfigsRequest), 4},
	{228, 2, 0, 2710, sizeof(KafkaDescribeConfigsResponse), 6},
	{230, 2, 0, 2734, sizeof(KafkaAlterConfigsRequest), 3},
	{232, 2, 0, 2754, sizeof(KafkaAlterConfigsResponse), 6},
	{234, 1, 0, 2775, sizeof(KafkaAlterReplicaLogDirsRequest), 2},
	{235, 2, 0, 2807, sizeof(KafkaAlterReplicaLogDirsResponse), 6},
	{237, 1, 0, 2835, sizeof(KafkaDescribeLogDirsRequest), 2},
	{238, 3, 0, 2858, sizeof(KafkaDescribeLogDirsResponse), 6},
	{241, 1, 0, 2882, sizeof(KafkaSaslAuthenticateRequest), 2},
	{242, 4, 0, 2916, sizeof(KafkaSaslAuthenticateResponse), 8},
	{246, 3, 0, 2959, sizeof(KafkaCreatePartitionsRequest), 7},
	{249, 2, 0, 2983, sizeof(KafkaCreatePartitionsResponse), 6},
	{251, 4, 0, 3008, sizeof(KafkaCreateDelegationTokenRequest), 10},
	{255, 11, 0, 3098, sizeof(KafkaCreateDelegationTokenResponse), 35},
	{266, 2, 0, 3275, sizeof(KafkaRenewDelegationTokenRequest), 10},
	{268, 3, 0, 3317, sizeof(KafkaRenewDelegationTokenResponse), 14},
	{271, 2, 0, 3346, sizeof(KafkaExpireDelegationTokenRequest), 10},
	{273, 3, 0, 3394, sizeof(KafkaExpireDelegationTokenResponse), 14},
	{276, 1, 0, 3424, sizeof(KafkaDescribeDelegationTokenRequest), 2},
	{277, 3, 0, 3462, sizeof(KafkaDescribeDelegationTokenResponse), 8},
	{280, 1, 0, 3501, sizeof(KafkaDeleteGroupsRequest), 2},
	{281, 2, 0, 3533, sizeof(KafkaDeleteGroupsResponse), 6},
	{283, 3, 0, 3554, sizeof(KafkaElectLeadersRequest), 7},
	{286, 3, 0, 3603, sizeof(KafkaElectLeadersResponse), 8},
	{289, 2, 0, 3647, sizeof(KafkaIncrementalAlterConfigsRequest), 3},
	{291, 2, 0, 3678, sizeof(KafkaIncrementalAlterConfigsResponse), 6},
	{293, 3, 0, 3710, sizeof(KafkaAlterPartitionReassignmentsRequest), 6},
	{296, 5, 0, 3774, sizeof(KafkaAlterPartitionReassignmentsResponse), 9},
	{301, 2, 0, 3810, sizeof(KafkaListPartitionReassignmentsRequest), 6},
	{303, 4, 0, 3844, sizeof(KafkaListPartitionReassignmentsResponse), 9},
	{307, 2, 0, 3879, sizeof(KafkaOffsetDeleteRequest), 6},
	{309, 3, 0, 3899, sizeof(KafkaOffsetDeleteResponse), 10},
	{312, 2, 0, 3920, sizeof(KafkaDescribeClientQuotasRequest), 3},
	{314, 4, 0, 3966, sizeof(KafkaDescribeClientQuotasResponse), 9},
	{318, 2, 0, 4003, sizeof(KafkaAlterClientQuotasRequest), 3},
	{320, 2, 0, 4028, sizeof(KafkaAlterClientQuotasResponse), 6},
	{322, 1, 0, 4054, sizeof(KafkaDescribeUserScramCredentialsRequest), 2},
	{323, 4, 0, 4096, sizeof(KafkaDescribeUserScramCredentialsResponse), 9},
	{327, 2, 0, 4133, sizeof(KafkaAlterUserScramCredentialsRequest), 3},
	{329, 2, 0, 4187, sizeof(KafkaAlterUserScramCredentialsResponse), 6},
	{331, 1, 0, 4221, sizeof(KafkaDescribeQuorumRequest), 2},
	{332, 4, 0, 4243, sizeof(KafkaDescribeQuorumResponse), 4},
	{336, 3, 0, 4272, sizeof(KafkaUpdateFeaturesRequest), 6},
	{339, 4, 0, 4309, sizeof(KafkaUpdateFeaturesResponse), 8},
	{343, 3, 0, 4332, sizeof(KafkaDescribeClusterRequest), 2},
	{346, 8, 0, 4389, sizeof(KafkaDescribeClusterResponse), 18},
	{354, 1, 0, 4413, sizeof(KafkaDescribeProducersRequest), 2},
	{355, 2, 0, 4438, sizeof(KafkaDescribeProducersResponse), 6},
	{357, 1, 0, 4464, sizeof(KafkaUnregisterBrokerRequest), 5},
	{358, 3, 0, 4497, sizeof(KafkaUnregisterBrokerResponse), 8},
	{361, 1, 0, 4522, sizeof(KafkaDescribeTransactionsRequest), 2},
	{362, 2, 0, 4567, sizeof(KafkaDescribeTransactionsResponse), 6},
	{364, 4, 0, 4614, sizeof(KafkaListTransactionsRequest), 3},
	{368, 4, 0, 4707, sizeof(KafkaListTransactionsResponse), 9},
	{372, 10, 0, 4752, sizeof(KafkaConsumerGroupHeartbeatRequest), 16},
	{382, 7, 0, 4862, sizeof(KafkaConsumerGroupHeartbeatResponse), 18},
	{389, 2, 0, 4913, sizeof(KafkaConsumerGroupDescribeRequest), 3},
	{391, 2, 0, 4951, sizeof(KafkaConsumerGroupDescribeResponse), 6},
	{393, 1, 0, 4981, sizeof(KafkaListConfigResourcesRequest), 1},
	{394, 3, 0, 5022, sizeof(KafkaListConfigResourcesResponse), 8},
	{397, 3, 0, 5066, sizeof(KafkaDescribeTopicPartitionsRequest), 7},
	{400, 3, 0, 5127, sizeof(KafkaDescribeTopicPartitionsResponse), 7},
	{403, 5, 0, 5170, sizeof(KafkaShareGroupHeartbeatRequest), 9},
	{408, 7, 0, 5197, sizeof(KafkaShareGroupHeartbeatResponse), 18},
	{415, 2, 0, 5225, sizeof(KafkaShareGroupDescribeRequest), 3},
	{417, 2, 0, 5251, sizeof(KafkaShareGroupDescribeResponse), 6},
	{419, 12, 0, 5278, sizeof(KafkaShareFetchRequest), 29},
	{431, 6, 0, 5363, sizeof(KafkaShareFetchResponse), 14},
	{437, 5, 0, 5407, sizeof(KafkaShareAcknowledgeRequest), 8},
	{442, 6, 0, 5431, sizeof(KafkaShareAcknowledgeResponse), 10},
	{448, 6, 0, 5456, sizeof(KafkaAddRaftVoterRequest), 27},
	{454, 3, 0, 5528, sizeof(KafkaAddRaftVoterResponse), 8},
	{457, 3, 0, 5549, sizeof(KafkaRemoveRaftVoterRequest), 22},
	{460, 3, 0, 5572, sizeof(KafkaRemoveRaftVoterResponse), 8},
	{463, 2, 0, 5596, sizeof(KafkaInitializeShareGroupStateRequest), 3},
	{465, 1, 0, 5629, sizeof(KafkaInitializeShareGroupStateResponse), 2},
	{466, 2, 0, 5663, sizeof(KafkaReadShareGroupStateRequest), 3},
	{468, 1, 0, 5690, sizeof(KafkaReadShareGroupStateResponse), 2},
	{469, 2, 0, 5718, sizeof(KafkaWriteShareGroupStateRequest), 3},
	{471, 1, 0, 5746, sizeof(KafkaWriteShareGroupStateResponse), 2},
	{472, 2, 0, 5775, sizeof(KafkaDeleteShareGroupStateRequest), 3},
	{474, 1, 0, 5804, sizeof(KafkaDeleteShareGroupStateResponse), 2},
	{475, 2, 0, 5834, sizeof(KafkaReadShareGroupStateSummaryRequest), 3},
	{477, 1, 0, 5868, sizeof(KafkaReadShareGroupStateSummaryResponse), 2},
	{478, 17, 0, 5903, sizeof(KafkaStreamsGroupHeartbeatRequest), 27},
	{495, 16, 0, 6084, sizeof(KafkaStreamsGroupHeartbeatResponse), 34},
	{511, 3, 0, 6245, sizeof(KafkaStreamsGroupDescribeRequest), 3},
	{514, 2, 0, 6300, sizeof(KafkaStreamsGroupDescribeResponse), 6},
	{516, 1, 0, 6329, sizeof(KafkaDescribeShareGroupOffsetsRequest), 2},
	{517, 2, 0, 6362, sizeof(KafkaDescribeShareGroupOffsetsResponse), 6},
	{519, 2, 0, 6396, sizeof(KafkaAlterShareGroupOffsetsRequest), 3},
	{521, 4, 0, 6426, sizeof(KafkaAlterShareGroupOffsetsResponse), 9},
	{525, 2, 0, 6457, sizeof(KafkaDeleteShareGroupOffsetsRequest), 3},
	{527, 4, 0, 6488, sizeof(KafkaDeleteShareGroupOffsetsResponse), 9},
	{531, 2, 0, 6520, sizeof(KafkaConsumerProtocolAssignmentTopicPartition), 6},
	{533, 2, 0, 6520, sizeof(KafkaConsumerProtocolSubscriptionTopicPartition), 6},
	{535, 2, 0, 6552, sizeof(KafkaProduceRequestPartitionProduceData), 6},
	{537, 3, 0, 6587, sizeof(KafkaProduceRequestTopicProduceData), 3},
	{540, 2, 0, 6631, sizeof(KafkaProduceResponseBatchIndexAndErrorMessage), 6},
	{542, 2, 0, 6691, sizeof(KafkaProduceResponseLeaderIdAndEpoch), 9},
	{544, 7, 1, 6729, sizeof(KafkaProduceResponsePartitionProduceResponse), 22},
	{552, 3, 0, 6823, sizeof(KafkaProduceResponseTopicProduceResponse), 3},
	{555, 4, 0, 6863, sizeof(KafkaProduceResponseNodeEndpoint), 11},
	{559, 2, 0, 6881, sizeof(KafkaFetchRequestReplicaState), 13},
	{561, 6, 2, 6907, sizeof(KafkaFetchRequestFetchPartition), 16},
	{569, 3, 0, 7031, sizeof(KafkaFetchRequestFetchTopic), 3},
	{572, 3, 0, 7042, sizeof(KafkaFetchRequestForgottenTopic), 3},
	{575, 2, 0, 7057, sizeof(KafkaFetchResponseEpochEndOffset), 13},
	{577, 2, 0, 6691, sizeof(KafkaFetchResponseLeaderIdAndEpoch), 9},
	{579, 2, 0, 7088, sizeof(KafkaFetchResponseSnapshotId), 13},
	{581, 2, 0, 7099, sizeof(KafkaFetchResponseAbortedTransaction), 16},
	{583, 8, 3, 7130, sizeof(KafkaFetchResponsePartitionData), 30},
	{594, 3, 0, 7243, sizeof(KafkaFetchResponseFetchableTopicResponse), 3},
	{597, 4, 0, 6863, sizeof(KafkaFetchResponseNodeEndpoint), 11},
	{601, 3, 0, 7266, sizeof(KafkaListOffsetsRequestListOffsetsPartition), 12},
	{604, 2, 0, 7297, sizeof(KafkaListOffsetsRequestListOffsetsTopic), 3},
	{606, 5, 0, 7314, sizeof(KafkaListOffsetsResponseListOffsetsPartitionResponse), 22},
	{611, 2, 0, 7350, sizeof(KafkaListOffsetsResponseListOffsetsTopicResponse), 3},
	{613, 2, 0, 7375, sizeof(KafkaMetadataRequestTopic), 2},
	{615, 4, 0, 7396, sizeof(KafkaMetadataResponseBroker), 10},
	{619, 7, 0, 7419, sizeof(KafkaMetadataResponsePartition), 18},
	{626, 6, 0, 7483, sizeof(KafkaMetadataResponseTopic), 8},
	{632, 4, 0, 7542, sizeof(KafkaOffsetCommitRequestPartition), 14},
	{636, 3, 0, 7626, sizeof(KafkaOffsetCommitRequestTopic), 3},
	{639, 2, 0, 7651, sizeof(KafkaOffsetCommitResponsePartition), 6},
	{641, 3, 0, 7681, sizeof(KafkaOffsetCommitResponseTopic), 3},
	{644, 2, 0, 7707, sizeof(KafkaOffsetFetchRequestTopic), 3},
	{646, 3, 0, 7748, sizeof(KafkaOffsetFetchRequestTopics), 3},
	{649, 4, 0, 7773, sizeof(KafkaOffsetFetchRequestGroup), 3},
	{653, 5, 0, 7797, sizeof(KafkaOffsetFetchResponsePartition), 16},
	{658, 2, 0, 7835, sizeof(KafkaOffsetFetchResponseTopic), 3},
	{660, 5, 0, 7860, sizeof(KafkaOffsetFetchResponsePartitions), 20},
	{665, 3, 0, 7890, sizeof(KafkaOffsetFetchResponseTopics), 3},
	{668, 3, 0, 7916, sizeof(KafkaOffsetFetchResponseGroup), 5},
	{671, 6, 0, 7941, sizeof(KafkaFindCoordinatorResponseCoordinator), 14},
	{677, 2, 0, 7953, sizeof(KafkaJoinGroupRequestProtocol), 3},
	{679, 3, 0, 7978, sizeof(KafkaJoinGroupResponseMember), 4},
	{682, 3, 0, 8002, sizeof(KafkaLeaveGroupRequestMemberIdentity), 3},
	{685, 3, 0, 8017, sizeof(KafkaLeaveGroupResponseMemberResponse), 5},
	{688, 2, 0, 8032, sizeof(KafkaSyncGroupRequestAssignment), 3},
	{690, 6, 0, 8059, sizeof(KafkaDescribeGroupsResponseDescribedGroupMember), 7},
	{696, 8, 0, 8123, sizeof(KafkaDescribeGroupsResponseDescribedGroup), 12},
	{704, 4, 0, 8183, sizeof(KafkaListGroupsResponseListedGroup), 3},
	{708, 3, 0, 8205, sizeof(KafkaApiVersionsResponseApiVersion), 6},
	{711, 3, 0, 8245, sizeof(KafkaApiVersionsResponseSupportedFeatureKey), 6},
	{714, 3, 0, 8265, sizeof(KafkaApiVersionsResponseFinalizedFeatureKey), 6},
	{717, 2, 0, 8317, sizeof(KafkaCreateTopicsRequestCreatableReplicaAssignment), 6},
	{719, 2, 0, 8354, sizeof(KafkaCreateTopicsRequestCreatableTopicConfig), 3},
	{721, 5, 0, 8381, sizeof(KafkaCreateTopicsRequestCreatableTopic), 10},
	{726, 5, 0, 8436, sizeof(KafkaCreateTopicsResponseCreatableTopicConfigs), 6},
	{731, 7, 1, 8492, sizeof(KafkaCreateTopicsResponseCreatableTopicResult), 6},
	{739, 2, 0, 8534, sizeof(KafkaDeleteTopicsRequestDeleteTopicState), 18},
	{741, 4, 0, 8551, sizeof(KafkaDeleteTopicsResponseDeletableTopicResult), 4},
	{745, 2, 0, 8572, sizeof(KafkaDeleteRecordsRequestDeleteRecordsPartition), 12},
	{747, 2, 0, 8595, sizeof(KafkaDeleteRecordsRequestDeleteRecordsTopic), 3},
	{749, 3, 0, 8614, sizeof(KafkaDeleteRecordsResponseDeleteRecordsPartitionResult), 14},
	{752, 2, 0, 8656, sizeof(KafkaDeleteRecordsResponseDeleteRecordsTopicResult), 3},
	{754, 3, 0, 8681, sizeof(KafkaOffsetForLeaderEpochRequestOffsetForLeaderPartition), 12},
	{757, 2, 0, 8706, sizeof(KafkaOffsetForLeaderEpochRequestOffsetForLeaderTopic), 3},
	{759, 4, 0, 7057, sizeof(KafkaOffsetForLeaderEpochResponseEpochEndOffset), 18},
	{763, 2, 0, 8727, sizeof(KafkaOffsetForLeaderEpochResponseOffsetForLeaderTopicResult), 3},
	{765, 2, 0, 8754, sizeof(KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTopic), 3},
	{767, 5, 0, 8778, sizeof(KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTransaction), 14},
	{772, 2, 0, 8819, sizeof(KafkaAddPartitionsToTxnResponseAddPartitionsToTxnPartitionResult), 6},
	{774, 2, 0, 8872, sizeof(KafkaAddPartitionsToTxnResponseAddPartitionsToTxnTopicResult), 3},
	{776, 2, 0, 8921, sizeof(KafkaAddPartitionsToTxnResponseAddPartitionsToTxnResult), 3},
	{778, 2, 0, 8959, sizeof(KafkaWriteTxnMarkersRequestWritableTxnMarkerTopic), 3},
	{780, 6, 0, 8982, sizeof(KafkaWriteTxnMarkersRequestWritableTxnMarker), 17},
	{786, 2, 0, 9054, sizeof(KafkaWriteTxnMarkersResponseWritableTxnMarkerPartitionResult), 7},
	{788, 2, 0, 9087, sizeof(KafkaWriteTxnMarkersResponseWritableTxnMarkerTopicResult), 3},
	{790, 2, 0, 9116, sizeof(KafkaWriteTxnMarkersResponseWritableTxnMarkerResult), 10},
	{792, 4, 0, 9140, sizeof(KafkaTxnOffsetCommitRequestPartition), 14},
	{796, 3, 0, 9172, sizeof(KafkaTxnOffsetCommitRequestTopic), 3},
	{799, 2, 0, 9200, sizeof(KafkaTxnOffsetCommitResponsePartition), 6},
	{801, 3, 0, 9233, sizeof(KafkaTxnOffsetCommitResponseTopic), 3},
	{804, 4, 0, 9262, sizeof(KafkaDescribeAclsResponseAclDescription), 5},
	{808, 4, 0, 9287, sizeof(KafkaDescribeAclsResponseDescribeAclsResource), 5},
	{812, 7, 0, 9351, sizeof(KafkaCreateAclsRequestAclCreation), 8},
	{819, 2, 0, 9383, sizeof(KafkaCreateAclsResponseAclCreationResult), 4},
	{821, 7, 0, 9401, sizeof(KafkaDeleteAclsRequestDeleteAclsFilter), 8},
	{828, 9, 0, 9418, sizeof(KafkaDeleteAclsResponseDeleteAclsMatchingAcl), 11},
	{837, 3, 0, 9440, sizeof(KafkaDeleteAclsResponseDeleteAclsFilterResult), 5},
	{840, 3, 0, 9476, sizeof(KafkaDescribeConfigsRequestDescribeConfigsResource), 4},
	{843, 3, 0, 9518, sizeof(KafkaDescribeConfigsResponseDescribeConfigsSynonym), 4},
	{846, 8, 0, 9548, sizeof(KafkaDescribeConfigsResponseDescribeConfigsResourceResult), 9},
	{854, 5, 0, 9612, sizeof(KafkaDescribeConfigsResponseDescribeConfigsResult), 7},
	{859, 2, 0, 9634, sizeof(KafkaAlterConfigsRequestAlterableConfig), 3},
	{861, 3, 0, 9650, sizeof(KafkaAlterConfigsRequestAlterConfigsResource), 4},
	{864, 4, 0, 9671, sizeof(KafkaAlterConfigsResponseAlterConfigsResourceResponse), 6},
	{868, 2, 0, 9700, sizeof(KafkaAlterReplicaLogDirsRequestAlterReplicaLogDirTopic), 3},
	{870, 2, 0, 9724, sizeof(KafkaAlterReplicaLogDirsRequestAlterReplicaLogDir), 3},
	{872, 2, 0, 9748, sizeof(KafkaAlterReplicaLogDirsResponseAlterReplicaLogDirPartitionResult), 6},
	{874, 2, 0, 9782, sizeof(KafkaAlterReplicaLogDirsResponseAlterReplicaLogDirTopicResult), 3},
	{876, 2, 0, 9822, sizeof(KafkaDescribeLogDirsRequestDescribableLogDirTopic), 3},
	{878, 4, 0, 9845, sizeof(KafkaDescribeLogDirsResponseDescribeLogDirsPartition), 21},
	{882, 2, 0, 9906, sizeof(KafkaDescribeLogDirsResponseDescribeLogDirsTopic), 3},
	{884, 6, 0, 9927, sizeof(KafkaDescribeLogDirsResponseDescribeLogDirsResult), 5},
	{890, 1, 0, 9990, sizeof(KafkaCreatePartitionsRequestCreatePartitionsAssignment), 2},
	{891, 3, 0, 10017, sizeof(KafkaCreatePartitionsRequestCreatePartitionsTopic), 7},
	{894, 3, 0, 10045, sizeof(KafkaCreatePartitionsResponseCreatePartitionsTopicResult), 5},
	{897, 2, 0, 10073, sizeof(KafkaCreateDelegationTokenRequestCreatableRenewers), 3},
	{899, 2, 0, 10091, sizeof(KafkaDescribeDelegationTokenRequestDescribeDelegationTokenOwner), 3},
	{901, 2, 0, 10120, sizeof(KafkaDescribeDelegationTokenResponseDescribedDelegationTokenRenewer), 3},
	{903, 10, 0, 10152, sizeof(KafkaDescribeDelegationTokenResponseDescribedDelegationToken), 30},
	{913, 3, 0, 10221, sizeof(KafkaDeleteGroupsResponseDeletableGroupResult), 4},
	{916, 2, 0, 10242, sizeof(KafkaElectLeadersRequestTopicPartitions), 3},
	{918, 3, 0, 10258, sizeof(KafkaElectLeadersResponsePartitionResult), 8},
	{921, 2, 0, 10286, sizeof(KafkaElectLeadersResponseReplicaElectionResult), 3},
	{923, 3, 0, 9634, sizeof(KafkaIncrementalAlterConfigsRequestAlterableConfig), 4},
	{926, 3, 0, 9650, sizeof(KafkaIncrementalAlterConfigsRequestAlterConfigsResource), 4},
	{929, 4, 0, 9671, sizeof(KafkaIncrementalAlterConfigsResponseAlterConfigsResourceResponse), 6},
	{933, 2, 0, 10340, sizeof(KafkaAlterPartitionReassignmentsRequestReassignablePartition), 6},
	{935, 2, 0, 10371, sizeof(KafkaAlterPartitionReassignmentsRequestReassignableTopic), 3},
	{937, 3, 0, 10389, sizeof(KafkaAlterPartitionReassignmentsResponseReassignablePartitionResponse), 8},
	{940, 2, 0, 10419, sizeof(KafkaAlterPartitionReassignmentsResponseReassignableTopicResponse), 3},
	{942, 2, 0, 10445, sizeof(KafkaListPartitionReassignmentsRequestListPartitionReassignmentsTopics), 3},
	{944, 4, 0, 10478, sizeof(KafkaListPartitionReassignmentsResponseOngoingPartitionReassignment), 8},
	{948, 2, 0, 10539, sizeof(KafkaListPartitionReassignmentsResponseOngoingTopicReassignment), 3},
	{950, 1, 0, 10564, sizeof(KafkaOffsetDeleteRequestPartition), 4},
	{951, 2, 0, 10593, sizeof(KafkaOffsetDeleteRequestTopic), 6},
	{953, 2, 0, 10618, sizeof(KafkaOffsetDeleteResponsePartition), 6},
	{955, 2, 0, 10648, sizeof(KafkaOffsetDeleteResponseTopic), 6},
	{957, 3, 0, 10674, sizeof(KafkaDescribeClientQuotasRequestComponentData), 4},
	{960, 2, 0, 10715, sizeof(KafkaDescribeClientQuotasResponseEntityData), 3},
	{962, 2, 0, 10737, sizeof(KafkaDescribeClientQuotasResponseValueData), 10},
	{964, 2, 0, 10747, sizeof(KafkaDescribeClientQuotasResponseEntryData), 3},
	{966, 2, 0, 10715, sizeof(KafkaAlterClientQuotasRequestEntityData), 3},
	{968, 3, 0, 10771, sizeof(KafkaAlterClientQuotasRequestOpData), 11},
	{971, 2, 0, 10747, sizeof(KafkaAlterClientQuotasRequestEntryData), 3},
	{973, 2, 0, 10715, sizeof(KafkaAlterClientQuotasResponseEntityData), 3},
	{975, 3, 0, 10747, sizeof(KafkaAlterClientQuotasResponseEntryData), 5},
	{978, 1, 0, 10789, sizeof(KafkaDescribeUserScramCredentialsRequestUserName), 2},
	{979, 2, 0, 10798, sizeof(KafkaDescribeUserScramCredentialsResponseCredentialInfo), 6},
	{981, 4, 0, 10824, sizeof(KafkaDescribeUserScramCredentialsResponseDescribeUserScramCredentialsResult), 6},
	{985, 2, 0, 10880, sizeof(KafkaAlterUserScramCredentialsRequestScramCredentialDeletion), 3},
	{987, 5, 0, 10904, sizeof(KafkaAlterUserScramCredentialsRequestScramCredentialUpsertion), 9},
	{992, 3, 0, 10949, sizeof(KafkaAlterUserScramCredentialsResponseAlterUserScramCredentialsResult), 5},
	{995, 1, 0, 7130, sizeof(KafkaDescribeQuorumRequestPartitionData), 5},
	{996, 2, 0, 10981, sizeof(KafkaDescribeQuorumRequestTopicData), 3},
	{998, 5, 0, 6881, sizeof(KafkaDescribeQuorumResponseReplicaState), 13},
	{1003, 8, 0, 7130, sizeof(KafkaDescribeQuorumResponsePartitionData), 25},
	{1011, 2, 0, 10981, sizeof(KafkaDescribeQuorumResponseTopicData), 3},
	{1013, 3, 0, 11069, sizeof(KafkaDescribeQuorumResponseListener), 5},
	{1016, 2, 0, 11078, sizeof(KafkaDescribeQuorumResponseNode), 6},
	{1018, 4, 0, 11083, sizeof(KafkaUpdateFeaturesRequestFeatureUpdateKey), 5},
	{1022, 3, 0, 11135, sizeof(KafkaUpdateFeaturesResponseUpdatableFeatureResult), 5},
	{1025, 5, 0, 11158, sizeof(KafkaDescribeClusterResponseDescribeClusterBroker), 11},
	{1030, 2, 0, 11189, sizeof(KafkaDescribeProducersRequestTopicRequest), 3},
	{1032, 6, 0, 11202, sizeof(KafkaDescribeProducersResponseProducerState), 37},
	{1038, 4, 0, 11265, sizeof(KafkaDescribeProducersResponsePartitionResponse), 9},
	{1042, 2, 0, 11299, sizeof(KafkaDescribeProducersResponseTopicResponse), 3},
	{1044, 2, 0, 10981, sizeof(KafkaDescribeTransactionsResponseTopicData), 3},
	{1046, 8, 0, 11313, sizeof(KafkaDescribeTransactionsResponseTransactionState), 28},
	{1054, 3, 0, 11313, sizeof(KafkaListTransactionsResponseTransactionState), 11},
	{1057, 2, 0, 10242, sizeof(KafkaConsumerGroupHeartbeatRequestTopicPartitions), 18},
	{1059, 2, 0, 10242, sizeof(KafkaConsumerGroupHeartbeatResponseTopicPartitions), 18},
	{1061, 1, 0, 11370, sizeof(KafkaConsumerGroupHeartbeatResponseAssignment), 2},
	{1062, 3, 0, 10242, sizeof(KafkaConsumerGroupDescribeResponseTopicPartitions), 19},
	{1065, 1, 0, 11370, sizeof(KafkaConsumerGroupDescribeResponseAssignment), 2},
	{1066, 11, 0, 11381, sizeof(KafkaConsumerGroupDescribeResponseMember), 16},
	{1077, 9, 0, 8123, sizeof(KafkaConsumerGroupDescribeResponseDescribedGroup), 20},
	{1086, 2, 0, 11456, sizeof(KafkaListConfigResourcesResponseConfigResource), 2},
	{1088, 1, 0, 11189, sizeof(KafkaDescribeTopicPartitionsRequestTopicRequest), 2},
	{1089, 2, 0, 11471, sizeof(KafkaDescribeTopicPartitionsRequestCursor), 6},
	{1091, 9, 0, 11478, sizeof(KafkaDescribeTopicPartitionsResponsePartition), 20},
	{1100, 6, 0, 11555, sizeof(KafkaDescribeTopicPartitionsResponseTopic), 26},
	{1106, 2, 0, 11471, sizeof(KafkaDescribeTopicPartitionsResponseCursor), 6},
	{1108, 2, 0, 10242, sizeof(KafkaShareGroupHeartbeatResponseTopicPartitions), 18},
	{1110, 1, 0, 11370, sizeof(KafkaShareGroupHeartbeatResponseAssignment), 2},
	{1111, 3, 0, 10242, sizeof(KafkaShareGroupDescribeResponseTopicPartitions), 19},
	{1114, 1, 0, 11370, sizeof(KafkaShareGroupDescribeResponseAssignment), 2},
	{1115, 7, 0, 11381, sizeof(KafkaShareGroupDescribeResponseMember), 12},
	{1122, 9, 0, 8123, sizeof(KafkaShareGroupDescribeResponseDescribedGroup), 20},
	{1131, 3, 0, 11592, sizeof(KafkaShareFetchRequestAcknowledgementBatch), 18},
	{1134, 3, 0, 6907, sizeof(KafkaShareFetchRequestFetchPartition), 6},
	{1137, 2, 0, 7031, sizeof(KafkaShareFetchRequestFetchTopic), 18},
	{1139, 2, 0, 7042, sizeof(KafkaShareFetchRequestForgottenTopic), 18},
	{1141, 2, 0, 6691, sizeof(KafkaShareFetchResponseLeaderIdAndEpoch), 9},
	{1143, 3, 0, 11664, sizeof(KafkaShareFetchResponseAcquiredRecords), 19},
	{1146, 8, 0, 7130, sizeof(KafkaShareFetchResponsePartitionData), 22},
	{1154, 2, 0, 11755, sizeof(KafkaShareFetchResponseShareFetchableTopicResponse), 18},
	{1156, 4, 0, 6863, sizeof(KafkaShareFetchResponseNodeEndpoint), 11},
	{1160, 3, 0, 11592, sizeof(KafkaShareAcknowledgeRequestAcknowledgementBatch), 18},
	{1163, 2, 0, 11783, sizeof(KafkaShareAcknowledgeRequestAcknowledgePartition), 6},
	{1165, 2, 0, 11804, sizeof(KafkaShareAcknowledgeRequestAcknowledgeTopic), 18},
	{1167, 2, 0, 6691, sizeof(KafkaShareAcknowledgeResponseLeaderIdAndEpoch), 9},
	{1169, 4, 0, 7130, sizeof(KafkaShareAcknowledgeResponsePartitionData), 17},
	{1173, 2, 0, 11821, sizeof(KafkaShareAcknowledgeResponseShareAcknowledgeTopicResponse), 18},
	{1175, 4, 0, 6863, sizeof(KafkaShareAcknowledgeResponseNodeEndpoint), 11},
	{1179, 3, 0, 11069, sizeof(KafkaAddRaftVoterRequestListener), 5},
	{1182, 3, 0, 7130, sizeof(KafkaInitializeShareGroupStateRequestPartitionData), 17},
	{1185, 2, 0, 11874, sizeof(KafkaInitializeShareGroupStateRequestInitializeStateData), 18},
	{1187, 3, 0, 10258, sizeof(KafkaInitializeShareGroupStateResponsePartitionResult), 8},
	{1190, 2, 0, 11894, sizeof(KafkaInitializeShareGroupStateResponseInitializeStateResult), 18},
	{1192, 2, 0, 7130, sizeof(KafkaReadShareGroupStateRequestPartitionData), 9},
	{1194, 2, 0, 11916, sizeof(KafkaReadShareGroupStateRequestReadStateData), 18},
	{1196, 4, 0, 11930, sizeof(KafkaReadShareGroupStateResponseStateBatch), 20},
	{1200, 6, 0, 10258, sizeof(KafkaReadShareGroupStateResponsePartitionResult), 21},
	{1206, 2, 0, 11968, sizeof(KafkaReadShareGroupStateResponseReadStateResult), 18},
	{1208, 4, 0, 11930, sizeof(KafkaWriteShareGroupStateRequestStateBatch), 20},
	{1212, 6, 0, 7130, sizeof(KafkaWriteShareGroupStateRequestPartitionData), 22},
	{1218, 2, 0, 12006, sizeof(KafkaWriteShareGroupStateRequestWriteStateData), 18},
	{1220, 3, 0, 10258, sizeof(KafkaWriteShareGroupStateResponsePartitionResult), 8},
	{1223, 2, 0, 12021, sizeof(KafkaWriteShareGroupStateResponseWriteStateResult), 18},
	{1225, 1, 0, 7130, sizeof(KafkaDeleteShareGroupStateRequestPartitionData), 5},
	{1226, 2, 0, 12038, sizeof(KafkaDeleteShareGroupStateRequestDeleteStateData), 18},
	{1228, 3, 0, 10258, sizeof(KafkaDeleteShareGroupStateResponsePartitionResult), 8},
	{1231, 2, 0, 12054, sizeof(KafkaDeleteShareGroupStateResponseDeleteStateResult), 18},
	{1233, 2, 0, 7130, sizeof(KafkaReadShareGroupStateSummaryRequestPartitionData), 9},
	{1235, 2, 0, 12072, sizeof(KafkaReadShareGroupStateSummaryRequestReadStateSummaryData), 18},
	{1237, 7, 0, 10258, sizeof(KafkaReadShareGroupStateSummaryResponsePartitionResult), 24},
	{1244, 2, 0, 12093, sizeof(KafkaReadShareGroupStateSummaryResponseReadStateSummaryResult), 18},
	{1246, 2, 0, 12116, sizeof(KafkaStreamsGroupHeartbeatRequestKeyValue), 3},
	{1248, 4, 0, 12125, sizeof(KafkaStreamsGroupHeartbeatRequestTopicInfo), 9},
	{1252, 3, 0, 12148, sizeof(KafkaStreamsGroupHeartbeatRequestCopartitionGroup), 4},
	{1255, 7, 0, 12219, sizeof(KafkaStreamsGroupHeartbeatRequestSubtopology), 8},
	{1262, 2, 0, 12306, sizeof(KafkaStreamsGroupHeartbeatRequestTopology), 6},
	{1264, 2, 0, 12329, sizeof(KafkaStreamsGroupHeartbeatRequestTaskIds), 3},
	{1266, 2, 0, 12337, sizeof(KafkaStreamsGroupHeartbeatRequestEndpoint), 4},
	{1268, 3, 0, 12346, sizeof(KafkaStreamsGroupHeartbeatRequestTaskOffset), 14},
	{1271, 2, 0, 12357, sizeof(KafkaStreamsGroupHeartbeatResponseStatus), 3},
	{1273, 2, 0, 12329, sizeof(KafkaStreamsGroupHeartbeatResponseTaskIds), 3},
	{1275, 2, 0, 12337, sizeof(KafkaStreamsGroupHeartbeatResponseEndpoint), 4},
	{1277, 2, 0, 6520, sizeof(KafkaStreamsGroupHeartbeatResponseTopicPartition), 3},
	{1279, 3, 0, 12388, sizeof(KafkaStreamsGroupHeartbeatResponseEndpointToPartitions), 7},
	{1282, 2, 0, 12116, sizeof(KafkaStreamsGroupDescribeResponseKeyValue), 3},
	{1284, 4, 0, 12125, sizeof(KafkaStreamsGroupDescribeResponseTopicInfo), 9},
	{1288, 5, 0, 12219, sizeof(KafkaStreamsGroupDescribeResponseSubtopology), 6},
	{1293, 2, 0, 12306, sizeof(KafkaStreamsGroupDescribeResponseTopology), 6},
	{1295, 2, 0, 12337, sizeof(KafkaStreamsGroupDescribeResponseEndpoint), 4},
	{1297, 3, 0, 12346, sizeof(KafkaStreamsGroupDescribeResponseTaskOffset), 14},
	{1300, 2, 0, 12329, sizeof(KafkaStreamsGroupDescribeResponseTaskIds), 3},
	{1302, 3, 0, 11370, sizeof(KafkaStreamsGroupDescribeResponseAssignment), 4},
	{1305, 15, 0, 11381, sizeof(KafkaStreamsGroupDescribeResponseMember), 28},
	{1320, 6, 0, 12468, sizeof(KafkaStreamsGroupDescribeResponseTopologyDescriptionNode), 7},
	{1326, 2, 0, 12529, sizeof(KafkaStreamsGroupDescribeResponseTopologyDescriptionSubtopology), 3},
	{1328, 2, 0, 12560, sizeof(KafkaStreamsGroupDescribeResponseTopologyDescriptionGlobalStore), 15},
	{1330, 2, 0, 12601, sizeof(KafkaStreamsGroupDescribeResponseTopologyDescription), 3},
	{1332, 12, 0, 8123, sizeof(KafkaStreamsGroupDescribeResponseDescribedGroup), 20},
	{1344, 2, 0, 12680, sizeof(KafkaDescribeShareGroupOffsetsRequestTopic), 3},
	{1346, 2, 0, 12718, sizeof(KafkaDescribeShareGroupOffsetsRequestGroup), 3},
	{1348, 6, 0, 12756, sizeof(KafkaDescribeShareGroupOffsetsResponsePartition), 20},
	{1354, 3, 0, 12803, sizeof(KafkaDescribeShareGroupOffsetsResponseTopic), 19},
	{1357, 4, 0, 12842, sizeof(KafkaDescribeShareGroupOffsetsResponseGroup), 6},
	{1361, 2, 0, 12881, sizeof(KafkaAlterShareGroupOffsetsRequestPartition), 13},
	{1363, 2, 0, 12920, sizeof(KafkaAlterShareGroupOffsetsRequestTopic), 3},
	{1365, 3, 0, 12955, sizeof(KafkaAlterShareGroupOffsetsResponsePartition), 8},
	{1368, 3, 0, 12995, sizeof(KafkaAlterShareGroupOffsetsResponseTopic), 19},
	{1371, 1, 0, 13031, sizeof(KafkaDeleteShareGroupOffsetsRequestTopic), 2},
	{1372, 4, 0, 13067, sizeof(KafkaDeleteShareGroupOffsetsResponseTopic), 21},
};

/* first and last version, first flexible version */
const KafkaMessage pgt_kafka_messages[] = {
	{0, 3, 127},	/* ConsumerProtocolAssignment */
	{0, 3, 127},	/* ConsumerProtocolSubscription */
	{1, 2, 2},	/* RequestHeader */
	{0, 1, 1},	/* ResponseHeader */
	{3, 13, 9},	/* ProduceRequest */
	{3, 13, 9},	/* ProduceResponse */
	{4, 18, 12},	/* FetchRequest */
	{4, 18, 12},	/* FetchResponse */
	{1, 11, 6},	/* ListOffsetsRequest */
	{1, 11, 6},	/* ListOffsetsResponse */
	{0, 13, 9},	/* MetadataRequest */
	{0, 13, 9},	/* MetadataResponse */
	{2, 10, 8},	/* OffsetCommitRequest */
	{2, 10, 8},	/* OffsetCommitResponse */
	{1, 10, 6},	/* OffsetFetchRequest */
	{1, 10, 6},	/* OffsetFetchResponse */
	{0, 6, 3},	/* FindCoordinatorRequest */
	{0, 6, 3},	/* FindCoordinatorResponse */
	{0, 9, 6},	/* JoinGroupRequest */
	{0, 9, 6},	/* JoinGroupResponse */
	{0, 4, 4},	/* HeartbeatRequest */
	{0, 4, 4},	/* HeartbeatResponse */
	{0, 5, 4},	/* LeaveGroupRequest */
	{0, 5, 4},	/* LeaveGroupResponse */
	{0, 5, 4},	/* SyncGroupRequest */
	{0, 5, 4},	/* SyncGroupResponse */
	{0, 6, 5},	/* DescribeGroupsRequest */
	{0, 6, 5},	/* DescribeGroupsResponse */
	{0, 5, 3},	/* ListGroupsRequest */
	{0, 5, 3},	/* ListGroupsResponse */
	{0, 1, 127},	/* SaslHandshakeRequest */
	{0, 1, 127},	/* SaslHandshakeResponse */
	{0, 5, 3},	/* ApiVersionsRequest */
	{0, 5, 3},	/* ApiVersionsResponse */
	{2, 7, 5},	/* CreateTopicsRequest */
	{2, 7, 5},	/* CreateTopicsResponse */
	{1, 6, 4},	/* DeleteTopicsRequest */
	{1, 6, 4},	/* DeleteTopicsResponse */
	{0, 2, 2},	/* DeleteRecordsRequest */
	{0, 2, 2},	/* DeleteRecordsResponse */
	{0, 6, 2},	/* InitProducerIdRequest */
	{0, 6, 2},	/* InitProducerIdResponse */
	{2, 4, 4},	/* OffsetForLeaderEpochRequest */
	{2, 4, 4},	/* OffsetForLeaderEpochResponse */
	{0, 5, 3},	/* AddPartitionsToTxnRequest */
	{0, 5, 3},	/* AddPartitionsToTxnResponse */
	{0, 4, 3},	/* AddOffsetsToTxnRequest */
	{0, 4, 3},	/* AddOffsetsToTxnResponse */
	{0, 5, 3},	/* EndTxnRequest */
	{0, 5, 3},	/* EndTxnResponse */
	{1, 2, 1},	/* WriteTxnMarkersRequest */
	{1, 2, 1},	/* WriteTxnMarkersResponse */
	{0, 6, 3},	/* TxnOffsetCommitRequest */
	{0, 6, 3},	/* TxnOffsetCommitResponse */
	{1, 3, 2},	/* DescribeAclsRequest */
	{1, 3, 2},	/* DescribeAclsResponse */
	{1, 3, 2},	/* CreateAclsRequest */
	{1, 3, 2},	/* CreateAclsResponse */
	{1, 3, 2},	/* DeleteAclsRequest */
	{1, 3, 2},	/* DeleteAclsResponse */
	{1, 4, 4},	/* DescribeConfigsRequest */
	{1, 4, 4},	/* DescribeConfigsResponse */
	{0, 2, 2},	/* AlterConfigsRequest */
	{0, 2, 2},	/* AlterConfigsResponse */
	{1, 2, 2},	/* AlterReplicaLogDirsRequest */
	{1, 2, 2},	/* AlterReplicaLogDirsResponse */
	{1, 5, 2},	/* DescribeLogDirsRequest */
	{1, 5, 2},	/* DescribeLogDirsResponse */
	{0, 2, 2},	/* SaslAuthenticateRequest */
	{0, 2, 2},	/* SaslAuthenticateResponse */
	{0, 3, 2},	/* CreatePartitionsRequest */
	{0, 3, 2},	/* CreatePartitionsResponse */
	{1, 3, 2},	/* CreateDelegationTokenRequest */
	{1, 3, 2},	/* CreateDelegationTokenResponse */
	{1, 2, 2},	/* RenewDelegationTokenRequest */
	{1, 2, 2},	/* RenewDelegationTokenResponse */
	{1, 2, 2},	/* ExpireDelegationTokenRequest */
	{1, 2, 2},	/* ExpireDelegationTokenResponse */
	{1, 3, 2},	/* DescribeDelegationTokenRequest */
	{1, 3, 2},	/* DescribeDelegationTokenResponse */
	{0, 3, 2},	/* DeleteGroupsRequest */
	{0, 3, 2},	/* DeleteGroupsResponse */
	{0, 2, 2},	/* ElectLeadersRequest */
	{0, 2, 2},	/* ElectLeadersResponse */
	{0, 1, 1},	/* IncrementalAlterConfigsRequest */
	{0, 1, 1},	/* IncrementalAlterConfigsResponse */
	{0, 1, 0},	/* AlterPartitionReassignmentsRequest */
	{0, 1, 0},	/* AlterPartitionReassignmentsResponse */
	{0, 0, 0},	/* ListPartitionReassignmentsRequest */
	{0, 0, 0},	/* ListPartitionReassignmentsResponse */
	{0, 0, 127},	/* OffsetDeleteRequest */
	{0, 0, 127},	/* OffsetDeleteResponse */
	{0, 1, 1},	/* DescribeClientQuotasRequest */
	{0, 1, 1},	/* DescribeClientQuotasResponse */
	{0, 1, 1},	/* AlterClientQuotasRequest */
	{0, 1, 1},	/* AlterClientQuotasResponse */
	{0, 0, 0},	/* DescribeUserScramCredentialsRequest */
	{0, 0, 0},	/* DescribeUserScramCredentialsResponse */
	{0, 0, 0},	/* AlterUserScramCredentialsRequest */
	{0, 0, 0},	/* AlterUserScramCredentialsResponse */
	{0, 2, 0},	/* DescribeQuorumRequest */
	{0, 2, 0},	/* DescribeQuorumResponse */
	{0, 2, 0},	/* UpdateFeaturesRequest */
	{0, 2, 0},	/* UpdateFeaturesResponse */
	{0, 2, 0},	/* DescribeClusterRequest */
	{0, 2, 0},	/* DescribeClusterResponse */
	{0, 0, 0},	/* DescribeProducersRequest */
	{0, 0, 0},	/* DescribeProducersResponse */
	{0, 0, 0},	/* UnregisterBrokerRequest */
	{0, 0, 0},	/* UnregisterBrokerResponse */
	{0, 0, 0},	/* DescribeTransactionsRequest */
	{0, 0, 0},	/* DescribeTransactionsResponse */
	{0, 2, 0},	/* ListTransactionsRequest */
	{0, 2, 0},	/* ListTransactionsResponse */
	{0, 1, 0},	/* ConsumerGroupHeartbeatRequest */
	{0, 1, 0},	/* ConsumerGroupHeartbeatResponse */
	{0, 1, 0},	/* ConsumerGroupDescribeRequest */
	{0, 1, 0},	/* ConsumerGroupDescribeResponse */
	{0, 1, 0},	/* ListConfigResourcesRequest */
	{0, 1, 0},	/* ListConfigResourcesResponse */
	{0, 0, 0},	/* DescribeTopicPartitionsRequest */
	{0, 0, 0},	/* DescribeTopicPartitionsResponse */
	{1, 1, 0},	/* ShareGroupHeartbeatRequest */
	{1, 1, 0},	/* ShareGroupHeartbeatResponse */
	{1, 1, 0},	/* ShareGroupDescribeRequest */
	{1, 1, 0},	/* ShareGroupDescribeResponse */
	{1, 2, 0},	/* ShareFetchRequest */
	{1, 2, 0},	/* ShareFetchResponse */
	{1, 2, 0},	/* ShareAcknowledgeRequest */
	{1, 2, 0},	/* ShareAcknowledgeResponse */
	{0, 1, 0},	/* AddRaftVoterRequest */
	{0, 1, 0},	/* AddRaftVoterResponse */
	{0, 0, 0},	/* RemoveRaftVoterRequest */
	{0, 0, 0},	/* RemoveRaftVoterResponse */
	{0, 0, 0},	/* InitializeShareGroupStateRequest */
	{0, 0, 0},	/* InitializeShareGroupStateResponse */
	{0, 0, 0},	/* ReadShareGroupStateRequest */
	{0, 0, 0},	/* ReadShareGroupStateResponse */
	{0, 1, 0},	/* WriteShareGroupStateRequest */
	{0, 1, 0},	/* WriteShareGroupStateResponse */
	{0, 0, 0},	/* DeleteShareGroupStateRequest */
	{0, 0, 0},	/* DeleteShareGroupStateResponse */
	{0, 1, 0},	/* ReadShareGroupStateSummaryRequest */
	{0, 1, 0},	/* ReadShareGroupStateSummaryResponse */
	{0, 1, 0},	/* StreamsGroupHeartbeatRequest */
	{0, 1, 0},	/* StreamsGroupHeartbeatResponse */
	{0, 1, 0},	/* StreamsGroupDescribeRequest */
	{0, 1, 0},	/* StreamsGroupDescribeResponse */
	{0, 1, 0},	/* DescribeShareGroupOffsetsRequest */
	{0, 1, 0},	/* DescribeShareGroupOffsetsResponse */
	{0, 0, 0},	/* AlterShareGroupOffsetsRequest */
	{0, 0, 0},	/* AlterShareGroupOffsetsResponse */
	{0, 0, 0},	/* DeleteShareGroupOffsetsRequest */
	{0, 0, 0},	/* DeleteShareGroupOffsetsResponse */
};

/* key, first and last version that is told, name, request, response, first flexible version */
const KafkaApi pgt_kafka_apis[] = {
	{0, 0, 13, 13104, KAFKA_PRODUCE_REQUEST, KAFKA_PRODUCE_RESPONSE, 9},
	{1, 4, 18, 13112, KAFKA_FETCH_REQUEST, KAFKA_FETCH_RESPONSE, 12},
	{2, 1, 11, 13118, KAFKA_LIST_OFFSETS_REQUEST, KAFKA_LIST_OFFSETS_RESPONSE, 6},
	{3, 0, 13, 13130, KAFKA_METADATA_REQUEST, KAFKA_METADATA_RESPONSE, 9},
	{8, 2, 10, 13139, KAFKA_OFFSET_COMMIT_REQUEST, KAFKA_OFFSET_COMMIT_RESPONSE, 8},
	{9, 1, 10, 13152, KAFKA_OFFSET_FETCH_REQUEST, KAFKA_OFFSET_FETCH_RESPONSE, 6},
	{10, 0, 6, 13164, KAFKA_FIND_COORDINATOR_REQUEST, KAFKA_FIND_COORDINATOR_RESPONSE, 3},
	{11, 0, 9, 13180, KAFKA_JOIN_GROUP_REQUEST, KAFKA_JOIN_GROUP_RESPONSE, 6},
	{12, 0, 4, 13190, KAFKA_HEARTBEAT_REQUEST, KAFKA_HEARTBEAT_RESPONSE, 4},
	{13, 0, 5, 13200, KAFKA_LEAVE_GROUP_REQUEST, KAFKA_LEAVE_GROUP_RESPONSE, 4},
	{14, 0, 5, 13211, KAFKA_SYNC_GROUP_REQUEST, KAFKA_SYNC_GROUP_RESPONSE, 4},
	{15, 0, 6, 13221, KAFKA_DESCRIBE_GROUPS_REQUEST, KAFKA_DESCRIBE_GROUPS_RESPONSE, 5},
	{16, 0, 5, 13236, KAFKA_LIST_GROUPS_REQUEST, KAFKA_LIST_GROUPS_RESPONSE, 3},
	{17, 0, 1, 13247, KAFKA_SASL_HANDSHAKE_REQUEST, KAFKA_SASL_HANDSHAKE_RESPONSE, 127},
	{18, 0, 5, 13261, KAFKA_API_VERSIONS_REQUEST, KAFKA_API_VERSIONS_RESPONSE, 3},
	{19, 2, 7, 13273, KAFKA_CREATE_TOPICS_REQUEST, KAFKA_CREATE_TOPICS_RESPONSE, 5},
	{20, 1, 6, 13286, KAFKA_DELETE_TOPICS_REQUEST, KAFKA_DELETE_TOPICS_RESPONSE, 4},
	{21, 0, 2, 13299, KAFKA_DELETE_RECORDS_REQUEST, KAFKA_DELETE_RECORDS_RESPONSE, 2},
	{22, 0, 5, 13313, KAFKA_INIT_PRODUCER_ID_REQUEST, KAFKA_INIT_PRODUCER_ID_RESPONSE, 2},
	{23, 2, 4, 13328, KAFKA_OFFSET_FOR_LEADER_EPOCH_REQUEST, KAFKA_OFFSET_FOR_LEADER_EPOCH_RESPONSE, 4},
	{24, 0, 5, 13349, KAFKA_ADD_PARTITIONS_TO_TXN_REQUEST, KAFKA_ADD_PARTITIONS_TO_TXN_RESPONSE, 3},
	{25, 0, 4, 13368, KAFKA_ADD_OFFSETS_TO_TXN_REQUEST, KAFKA_ADD_OFFSETS_TO_TXN_RESPONSE, 3},
	{26, 0, 5, 13384, KAFKA_END_TXN_REQUEST, KAFKA_END_TXN_RESPONSE, 3},
	{27, 1, 2, 13391, KAFKA_WRITE_TXN_MARKERS_REQUEST, KAFKA_WRITE_TXN_MARKERS_RESPONSE, 1},
	{28, 0, 6, 13407, KAFKA_TXN_OFFSET_COMMIT_REQUEST, KAFKA_TXN_OFFSET_COMMIT_RESPONSE, 3},
	{29, 1, 3, 13423, KAFKA_DESCRIBE_ACLS_REQUEST, KAFKA_DESCRIBE_ACLS_RESPONSE, 2},
	{30, 1, 3, 13436, KAFKA_CREATE_ACLS_REQUEST, KAFKA_CREATE_ACLS_RESPONSE, 2},
	{31, 1, 3, 13447, KAFKA_DELETE_ACLS_REQUEST, KAFKA_DELETE_ACLS_RESPONSE, 2},
	{32, 1, 4, 13458, KAFKA_DESCRIBE_CONFIGS_REQUEST, KAFKA_DESCRIBE_CONFIGS_RESPONSE, 4},
	{33, 0, 2, 13474, KAFKA_ALTER_CONFIGS_REQUEST, KAFKA_ALTER_CONFIGS_RESPONSE, 2},
	{34, 1, 2, 13487, KAFKA_ALTER_REPLICA_LOG_DIRS_REQUEST, KAFKA_ALTER_REPLICA_LOG_DIRS_RESPONSE, 2},
	{35, 1, 5, 13507, KAFKA_DESCRIBE_LOG_DIRS_REQUEST, KAFKA_DESCRIBE_LOG_DIRS_RESPONSE, 2},
	{36, 0, 2, 13523, KAFKA_SASL_AUTHENTICATE_REQUEST, KAFKA_SASL_AUTHENTICATE_RESPONSE, 2},
	{37, 0, 3, 13540, KAFKA_CREATE_PARTITIONS_REQUEST, KAFKA_CREATE_PARTITIONS_RESPONSE, 2},
	{38, 1, 3, 13557, KAFKA_CREATE_DELEGATION_TOKEN_REQUEST, KAFKA_CREATE_DELEGATION_TOKEN_RESPONSE, 2},
	{39, 1, 2, 13579, KAFKA_RENEW_DELEGATION_TOKEN_REQUEST, KAFKA_RENEW_DELEGATION_TOKEN_RESPONSE, 2},
	{40, 1, 2, 13600, KAFKA_EXPIRE_DELEGATION_TOKEN_REQUEST, KAFKA_EXPIRE_DELEGATION_TOKEN_RESPONSE, 2},
	{41, 1, 3, 13622, KAFKA_DESCRIBE_DELEGATION_TOKEN_REQUEST, KAFKA_DESCRIBE_DELEGATION_TOKEN_RESPONSE, 2},
	{42, 0, 3, 13646, KAFKA_DELETE_GROUPS_REQUEST, KAFKA_DELETE_GROUPS_RESPONSE, 2},
	{43, 0, 2, 13659, KAFKA_ELECT_LEADERS_REQUEST, KAFKA_ELECT_LEADERS_RESPONSE, 2},
	{44, 0, 1, 13672, KAFKA_INCREMENTAL_ALTER_CONFIGS_REQUEST, KAFKA_INCREMENTAL_ALTER_CONFIGS_RESPONSE, 1},
	{45, 0, 1, 13696, KAFKA_ALTER_PARTITION_REASSIGNMENTS_REQUEST, KAFKA_ALTER_PARTITION_REASSIGNMENTS_RESPONSE, 0},
	{46, 0, 0, 13724, KAFKA_LIST_PARTITION_REASSIGNMENTS_REQUEST, KAFKA_LIST_PARTITION_REASSIGNMENTS_RESPONSE, 0},
	{47, 0, 0, 13751, KAFKA_OFFSET_DELETE_REQUEST, KAFKA_OFFSET_DELETE_RESPONSE, 127},
	{48, 0, 1, 13764, KAFKA_DESCRIBE_CLIENT_QUOTAS_REQUEST, KAFKA_DESCRIBE_CLIENT_QUOTAS_RESPONSE, 1},
	{49, 0, 1, 13785, KAFKA_ALTER_CLIENT_QUOTAS_REQUEST, KAFKA_ALTER_CLIENT_QUOTAS_RESPONSE, 1},
	{50, 0, 0, 13803, KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS_REQUEST, KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE, 0},
	{51, 0, 0, 13832, KAFKA_ALTER_USER_SCRAM_CREDENTIALS_REQUEST, KAFKA_ALTER_USER_SCRAM_CREDENTIALS_RESPONSE, 0},
	{55, 0, 2, 13858, KAFKA_DESCRIBE_QUORUM_REQUEST, KAFKA_DESCRIBE_QUORUM_RESPONSE, 0},
	{57, 0, 2, 13873, KAFKA_UPDATE_FEATURES_REQUEST, KAFKA_UPDATE_FEATURES_RESPONSE, 0},
	{60, 0, 2, 13888, KAFKA_DESCRIBE_CLUSTER_REQUEST, KAFKA_DESCRIBE_CLUSTER_RESPONSE, 0},
	{61, 0, 0, 13904, KAFKA_DESCRIBE_PRODUCERS_REQUEST, KAFKA_DESCRIBE_PRODUCERS_RESPONSE, 0},
	{64, 0, 0, 13922, KAFKA_UNREGISTER_BROKER_REQUEST, KAFKA_UNREGISTER_BROKER_RESPONSE, 0},
	{65, 0, 0, 13939, KAFKA_DESCRIBE_TRANSACTIONS_REQUEST, KAFKA_DESCRIBE_TRANSACTIONS_RESPONSE, 0},
	{66, 0, 2, 13960, KAFKA_LIST_TRANSACTIONS_REQUEST, KAFKA_LIST_TRANSACTIONS_RESPONSE, 0},
	{68, 0, 1, 13977, KAFKA_CONSUMER_GROUP_HEARTBEAT_REQUEST, KAFKA_CONSUMER_GROUP_HEARTBEAT_RESPONSE, 0},
	{69, 0, 1, 14000, KAFKA_CONSUMER_GROUP_DESCRIBE_REQUEST, KAFKA_CONSUMER_GROUP_DESCRIBE_RESPONSE, 0},
	{74, 0, 1, 14022, KAFKA_LIST_CONFIG_RESOURCES_REQUEST, KAFKA_LIST_CONFIG_RESOURCES_RESPONSE, 0},
	{75, 0, 0, 14042, KAFKA_DESCRIBE_TOPIC_PARTITIONS_REQUEST, KAFKA_DESCRIBE_TOPIC_PARTITIONS_RESPONSE, 0},
	{76, 1, 1, 14066, KAFKA_SHARE_GROUP_HEARTBEAT_REQUEST, KAFKA_SHARE_GROUP_HEARTBEAT_RESPONSE, 0},
	{77, 1, 1, 14086, KAFKA_SHARE_GROUP_DESCRIBE_REQUEST, KAFKA_SHARE_GROUP_DESCRIBE_RESPONSE, 0},
	{78, 1, 2, 14105, KAFKA_SHARE_FETCH_REQUEST, KAFKA_SHARE_FETCH_RESPONSE, 0},
	{79, 1, 2, 14116, KAFKA_SHARE_ACKNOWLEDGE_REQUEST, KAFKA_SHARE_ACKNOWLEDGE_RESPONSE, 0},
	{80, 0, 1, 14133, KAFKA_ADD_RAFT_VOTER_REQUEST, KAFKA_ADD_RAFT_VOTER_RESPONSE, 0},
	{81, 0, 0, 14146, KAFKA_REMOVE_RAFT_VOTER_REQUEST, KAFKA_REMOVE_RAFT_VOTER_RESPONSE, 0},
	{83, 0, 0, 14162, KAFKA_INITIALIZE_SHARE_GROUP_STATE_REQUEST, KAFKA_INITIALIZE_SHARE_GROUP_STATE_RESPONSE, 0},
	{84, 0, 0, 14188, KAFKA_READ_SHARE_GROUP_STATE_REQUEST, KAFKA_READ_SHARE_GROUP_STATE_RESPONSE, 0},
	{85, 0, 1, 14208, KAFKA_WRITE_SHARE_GROUP_STATE_REQUEST, KAFKA_WRITE_SHARE_GROUP_STATE_RESPONSE, 0},
	{86, 0, 0, 14229, KAFKA_DELETE_SHARE_GROUP_STATE_REQUEST, KAFKA_DELETE_SHARE_GROUP_STATE_RESPONSE, 0},
	{87, 0, 1, 14251, KAFKA_READ_SHARE_GROUP_STATE_SUMMARY_REQUEST, KAFKA_READ_SHARE_GROUP_STATE_SUMMARY_RESPONSE, 0},
	{88, 0, 1, 14278, KAFKA_STREAMS_GROUP_HEARTBEAT_REQUEST, KAFKA_STREAMS_GROUP_HEARTBEAT_RESPONSE, 0},
	{89, 0, 1, 14300, KAFKA_STREAMS_GROUP_DESCRIBE_REQUEST, KAFKA_STREAMS_GROUP_DESCRIBE_RESPONSE, 0},
	{90, 0, 1, 14321, KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_REQUEST, KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE, 0},
	{91, 0, 0, 14347, KAFKA_ALTER_SHARE_GROUP_OFFSETS_REQUEST, KAFKA_ALTER_SHARE_GROUP_OFFSETS_RESPONSE, 0},
	{92, 0, 0, 14370, KAFKA_DELETE_SHARE_GROUP_OFFSETS_REQUEST, KAFKA_DELETE_SHARE_GROUP_OFFSETS_RESPONSE, 0},
};

/* Where in pgt_kafka_apis a key is; -1: it is none. */
const int8	pgt_kafka_api_places[] = {
	0, 1, 2, 3, -1, -1, -1, -1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
	24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, -1,
	-1, -1, 48, -1, 49, -1, -1, 50, 51, -1, -1, 52, 53, 54, -1, 55, 56, -1, -1, -1, -1, 57, 58, 59, 60,
	61, 62, 63, 64, -1, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74
};

const int64 pgt_kafka_field_defaults[] = {
	INT64CONST(0),
	INT64CONST(-1),
	INT64CONST(2147483647),
	INT64CONST(1),
	INT64CONST(-2147483648),
	INT64CONST(60000),
	INT64CONST(-2),
	INT64CONST(3),
	INT64CONST(2000),
	INT64CONST(9223372036854775807),
	INT64CONST(16),
};

const char	pgt_kafka_field_names[] =
	"ConsumerProtocolAssignment\0"
	"assignedPartitions\0"
	"userData\0"
	"ConsumerProtocolSubscription\0"
	"topics\0"
	"ownedPartitions\0"
	"generationId\0"
	"rackId\0"
	"RequestHeader\0"
	"requestApiKey\0"
	"requestApiVersion\0"
	"correlationId\0"
	"clientId\0"
	"ResponseHeader\0"
	"ProduceRequest\0"
	"transactionalId\0"
	"acks\0"
	"timeoutMs\0"
	"topicData\0"
	"ProduceResponse\0"
	"responses\0"
	"throttleTimeMs\0"
	"nodeEndpoints\0"
	"FetchRequest\0"
	"replicaId\0"
	"maxWaitMs\0"
	"minBytes\0"
	"maxBytes\0"
	"isolationLevel\0"
	"sessionId\0"
	"sessionEpoch\0"
	"forgottenTopicsData\0"
	"clusterId\0"
	"replicaState\0"
	"FetchResponse\0"
	"errorCode\0"
	"ListOffsetsRequest\0"
	"ListOffsetsResponse\0"
	"MetadataRequest\0"
	"allowAutoTopicCreation\0"
	"includeClusterAuthorizedOperations\0"
	"includeTopicAuthorizedOperations\0"
	"MetadataResponse\0"
	"brokers\0"
	"controllerId\0"
	"clusterAuthorizedOperations\0"
	"OffsetCommitRequest\0"
	"groupId\0"
	"generationIdOrMemberEpoch\0"
	"memberId\0"
	"groupInstanceId\0"
	"retentionTimeMs\0"
	"OffsetCommitResponse\0"
	"OffsetFetchRequest\0"
	"groups\0"
	"requireStable\0"
	"OffsetFetchResponse\0"
	"FindCoordinatorRequest\0"
	"key\0"
	"keyType\0"
	"coordinatorKeys\0"
	"FindCoordinatorResponse\0"
	"errorMessage\0"
	"nodeId\0"
	"host\0"
	"port\0"
	"coordinators\0"
	"JoinGroupRequest\0"
	"sessionTimeoutMs\0"
	"rebalanceTimeoutMs\0"
	"protocolType\0"
	"protocols\0"
	"reason\0"
	"JoinGroupResponse\0"
	"protocolName\0"
	"leader\0"
	"skipAssignment\0"
	"members\0"
	"HeartbeatRequest\0"
	"HeartbeatResponse\0"
	"LeaveGroupRequest\0"
	"LeaveGroupResponse\0"
	"SyncGroupRequest\0"
	"assignments\0"
	"SyncGroupResponse\0"
	"assignment\0"
	"DescribeGroupsRequest\0"
	"includeAuthorizedOperations\0"
	"DescribeGroupsResponse\0"
	"ListGroupsRequest\0"
	"statesFilter\0"
	"typesFilter\0"
	"ListGroupsResponse\0"
	"SaslHandshakeRequest\0"
	"mechanism\0"
	"SaslHandshakeResponse\0"
	"mechanisms\0"
	"ApiVersionsRequest\0"
	"clientSoftwareName\0"
	"clientSoftwareVersion\0"
	"ApiVersionsResponse\0"
	"apiKeys\0"
	"supportedFeatures\0"
	"finalizedFeaturesEpoch\0"
	"finalizedFeatures\0"
	"zkMigrationReady\0"
	"CreateTopicsRequest\0"
	"validateOnly\0"
	"CreateTopicsResponse\0"
	"DeleteTopicsRequest\0"
	"topicNames\0"
	"DeleteTopicsResponse\0"
	"DeleteRecordsRequest\0"
	"DeleteRecordsResponse\0"
	"InitProducerIdRequest\0"
	"transactionTimeoutMs\0"
	"producerId\0"
	"producerEpoch\0"
	"enable2Pc\0"
	"keepPreparedTxn\0"
	"InitProducerIdResponse\0"
	"ongoingTxnProducerId\0"
	"ongoingTxnProducerEpoch\0"
	"OffsetForLeaderEpochRequest\0"
	"OffsetForLeaderEpochResponse\0"
	"AddPartitionsToTxnRequest\0"
	"transactions\0"
	"v3AndBelowTransactionalId\0"
	"v3AndBelowProducerId\0"
	"v3AndBelowProducerEpoch\0"
	"v3AndBelowTopics\0"
	"AddPartitionsToTxnResponse\0"
	"resultsByTransaction\0"
	"resultsByTopicV3AndBelow\0"
	"AddOffsetsToTxnRequest\0"
	"AddOffsetsToTxnResponse\0"
	"EndTxnRequest\0"
	"committed\0"
	"EndTxnResponse\0"
	"WriteTxnMarkersRequest\0"
	"markers\0"
	"WriteTxnMarkersResponse\0"
	"TxnOffsetCommitRequest\0"
	"TxnOffsetCommitResponse\0"
	"DescribeAclsRequest\0"
	"resourceTypeFilter\0"
	"resourceNameFilter\0"
	"patternTypeFilter\0"
	"principalFilter\0"
	"hostFilter\0"
	"operation\0"
	"permissionType\0"
	"DescribeAclsResponse\0"
	"resources\0"
	"CreateAclsRequest\0"
	"creations\0"
	"CreateAclsResponse\0"
	"results\0"
	"DeleteAclsRequest\0"
	"filters\0"
	"DeleteAclsResponse\0"
	"filterResults\0"
	"DescribeConfigsRequest\0"
	"includeSynonyms\0"
	"includeDocumentation\0"
	"DescribeConfigsResponse\0"
	"AlterConfigsRequest\0"
	"AlterConfigsResponse\0"
	"AlterReplicaLogDirsRequest\0"
	"dirs\0"
	"AlterReplicaLogDirsResponse\0"
	"DescribeLogDirsRequest\0"
	"DescribeLogDirsResponse\0"
	"SaslAuthenticateRequest\0"
	"authBytes\0"
	"SaslAuthenticateResponse\0"
	"sessionLifetimeMs\0"
	"CreatePartitionsRequest\0"
	"CreatePartitionsResponse\0"
	"CreateDelegationTokenRequest\0"
	"ownerPrincipalType\0"
	"ownerPrincipalName\0"
	"renewers\0"
	"maxLifetimeMs\0"
	"CreateDelegationTokenResponse\0"
	"principalType\0"
	"principalName\0"
	"tokenRequesterPrincipalType\0"
	"tokenRequesterPrincipalName\0"
	"issueTimestampMs\0"
	"expiryTimestampMs\0"
	"maxTimestampMs\0"
	"tokenId\0"
	"hmac\0"
	"RenewDelegationTokenRequest\0"
	"renewPeriodMs\0"
	"RenewDelegationTokenResponse\0"
	"ExpireDelegationTokenRequest\0"
	"expiryTimePeriodMs\0"
	"ExpireDelegationTokenResponse\0"
	"DescribeDelegationTokenRequest\0"
	"owners\0"
	"DescribeDelegationTokenResponse\0"
	"tokens\0"
	"DeleteGroupsRequest\0"
	"groupsNames\0"
	"DeleteGroupsResponse\0"
	"ElectLeadersRequest\0"
	"electionType\0"
	"topicPartitions\0"
	"ElectLeadersResponse\0"
	"replicaElectionResults\0"
	"IncrementalAlterConfigsRequest\0"
	"IncrementalAlterConfigsResponse\0"
	"AlterPartitionReassignmentsRequest\0"
	"allowReplicationFactorChange\0"
	"AlterPartitionReassignmentsResponse\0"
	"ListPartitionReassignmentsRequest\0"
	"ListPartitionReassignmentsResponse\0"
	"OffsetDeleteRequest\0"
	"OffsetDeleteResponse\0"
	"DescribeClientQuotasRequest\0"
	"components\0"
	"strict\0"
	"DescribeClientQuotasResponse\0"
	"entries\0"
	"AlterClientQuotasRequest\0"
	"AlterClientQuotasResponse\0"
	"DescribeUserScramCredentialsRequest\0"
	"users\0"
	"DescribeUserScramCredentialsResponse\0"
	"AlterUserScramCredentialsRequest\0"
	"deletions\0"
	"upsertions\0"
	"AlterUserScramCredentialsResponse\0"
	"DescribeQuorumRequest\0"
	"DescribeQuorumResponse\0"
	"nodes\0"
	"UpdateFeaturesRequest\0"
	"featureUpdates\0"
	"UpdateFeaturesResponse\0"
	"DescribeClusterRequest\0"
	"endpointType\0"
	"includeFencedBrokers\0"
	"DescribeClusterResponse\0"
	"DescribeProducersRequest\0"
	"DescribeProducersResponse\0"
	"UnregisterBrokerRequest\0"
	"brokerId\0"
	"UnregisterBrokerResponse\0"
	"DescribeTransactionsRequest\0"
	"transactionalIds\0"
	"DescribeTransactionsResponse\0"
	"transactionStates\0"
	"ListTransactionsRequest\0"
	"stateFilters\0"
	"producerIdFilters\0"
	"durationFilter\0"
	"transactionalIdPattern\0"
	"ListTransactionsResponse\0"
	"unknownStateFilters\0"
	"ConsumerGroupHeartbeatRequest\0"
	"memberEpoch\0"
	"instanceId\0"
	"subscribedTopicNames\0"
	"subscribedTopicRegex\0"
	"serverAssignor\0"
	"ConsumerGroupHeartbeatResponse\0"
	"heartbeatIntervalMs\0"
	"ConsumerGroupDescribeRequest\0"
	"groupIds\0"
	"ConsumerGroupDescribeResponse\0"
	"ListConfigResourcesRequest\0"
	"resourceTypes\0"
	"ListConfigResourcesResponse\0"
	"configResources\0"
	"DescribeTopicPartitionsRequest\0"
	"responsePartitionLimit\0"
	"cursor\0"
	"DescribeTopicPartitionsResponse\0"
	"nextCursor\0"
	"ShareGroupHeartbeatRequest\0"
	"ShareGroupHeartbeatResponse\0"
	"ShareGroupDescribeRequest\0"
	"ShareGroupDescribeResponse\0"
	"ShareFetchRequest\0"
	"shareSessionEpoch\0"
	"maxRecords\0"
	"batchSize\0"
	"shareAcquireMode\0"
	"isRenewAck\0"
	"ShareFetchResponse\0"
	"acquisitionLockTimeoutMs\0"
	"ShareAcknowledgeRequest\0"
	"ShareAcknowledgeResponse\0"
	"AddRaftVoterRequest\0"
	"voterId\0"
	"voterDirectoryId\0"
	"listeners\0"
	"ackWhenCommitted\0"
	"AddRaftVoterResponse\0"
	"RemoveRaftVoterRequest\0"
	"RemoveRaftVoterResponse\0"
	"InitializeShareGroupStateRequest\0"
	"InitializeShareGroupStateResponse\0"
	"ReadShareGroupStateRequest\0"
	"ReadShareGroupStateResponse\0"
	"WriteShareGroupStateRequest\0"
	"WriteShareGroupStateResponse\0"
	"DeleteShareGroupStateRequest\0"
	"DeleteShareGroupStateResponse\0"
	"ReadShareGroupStateSummaryRequest\0"
	"ReadShareGroupStateSummaryResponse\0"
	"StreamsGroupHeartbeatRequest\0"
	"endpointInformationEpoch\0"
	"topology\0"
	"activeTasks\0"
	"standbyTasks\0"
	"warmupTasks\0"
	"processId\0"
	"userEndpoint\0"
	"clientTags\0"
	"taskOffsets\0"
	"taskEndOffsets\0"
	"shutdownApplication\0"
	"StreamsGroupHeartbeatResponse\0"
	"acceptableRecoveryLagLegacy\0"
	"taskOffsetIntervalMs\0"
	"acceptableRecoveryLag\0"
	"status\0"
	"topologyDescriptionRequired\0"
	"partitionsByUserEndpoint\0"
	"StreamsGroupDescribeRequest\0"
	"includeTopologyDescription\0"
	"StreamsGroupDescribeResponse\0"
	"DescribeShareGroupOffsetsRequest\0"
	"DescribeShareGroupOffsetsResponse\0"
	"AlterShareGroupOffsetsRequest\0"
	"AlterShareGroupOffsetsResponse\0"
	"DeleteShareGroupOffsetsRequest\0"
	"DeleteShareGroupOffsetsResponse\0"
	"TopicPartition\0"
	"topic\0"
	"partitions\0"
	"PartitionProduceData\0"
	"index\0"
	"records\0"
	"TopicProduceData\0"
	"name\0"
	"topicId\0"
	"partitionData\0"
	"BatchIndexAndErrorMessage\0"
	"batchIndex\0"
	"batchIndexErrorMessage\0"
	"LeaderIdAndEpoch\0"
	"leaderId\0"
	"leaderEpoch\0"
	"PartitionProduceResponse\0"
	"baseOffset\0"
	"logAppendTimeMs\0"
	"logStartOffset\0"
	"recordErrors\0"
	"currentLeader\0"
	"TopicProduceResponse\0"
	"partitionResponses\0"
	"NodeEndpoint\0"
	"rack\0"
	"ReplicaState\0"
	"replicaEpoch\0"
	"FetchPartition\0"
	"partition\0"
	"currentLeaderEpoch\0"
	"fetchOffset\0"
	"lastFetchedEpoch\0"
	"partitionMaxBytes\0"
	"replicaDirectoryId\0"
	"highWatermark\0"
	"FetchTopic\0"
	"ForgottenTopic\0"
	"EpochEndOffset\0"
	"epoch\0"
	"endOffset\0"
	"SnapshotId\0"
	"AbortedTransaction\0"
	"firstOffset\0"
	"PartitionData\0"
	"partitionIndex\0"
	"lastStableOffset\0"
	"abortedTransactions\0"
	"preferredReadReplica\0"
	"divergingEpoch\0"
	"snapshotId\0"
	"FetchableTopicResponse\0"
	"ListOffsetsPartition\0"
	"timestamp\0"
	"ListOffsetsTopic\0"
	"ListOffsetsPartitionResponse\0"
	"offset\0"
	"ListOffsetsTopicResponse\0"
	"MetadataRequestTopic\0"
	"MetadataResponseBroker\0"
	"MetadataResponsePartition\0"
	"replicaNodes\0"
	"isrNodes\0"
	"offlineReplicas\0"
	"MetadataResponseTopic\0"
	"isInternal\0"
	"topicAuthorizedOperations\0"
	"OffsetCommitRequestPartition\0"
	"committedOffset\0"
	"committedLeaderEpoch\0"
	"committedMetadata\0"
	"OffsetCommitRequestTopic\0"
	"OffsetCommitResponsePartition\0"
	"OffsetCommitResponseTopic\0"
	"OffsetFetchRequestTopic\0"
	"partitionIndexes\0"
	"OffsetFetchRequestTopics\0"
	"OffsetFetchRequestGroup\0"
	"OffsetFetchResponsePartition\0"
	"metadata\0"
	"OffsetFetchResponseTopic\0"
	"OffsetFetchResponsePartitions\0"
	"OffsetFetchResponseTopics\0"
	"OffsetFetchResponseGroup\0"
	"Coordinator\0"
	"JoinGroupRequestProtocol\0"
	"JoinGroupResponseMember\0"
	"MemberIdentity\0"
	"MemberResponse\0"
	"SyncGroupRequestAssignment\0"
	"DescribedGroupMember\0"
	"clientHost\0"
	"memberMetadata\0"
	"memberAssignment\0"
	"DescribedGroup\0"
	"groupState\0"
	"protocolData\0"
	"authorizedOperations\0"
	"ListedGroup\0"
	"groupType\0"
	"ApiVersion\0"
	"apiKey\0"
	"minVersion\0"
	"maxVersion\0"
	"SupportedFeatureKey\0"
	"FinalizedFeatureKey\0"
	"maxVersionLevel\0"
	"minVersionLevel\0"
	"CreatableReplicaAssignment\0"
	"brokerIds\0"
	"CreatableTopicConfig\0"
	"value\0"
	"CreatableTopic\0"
	"numPartitions\0"
	"replicationFactor\0"
	"configs\0"
	"CreatableTopicConfigs\0"
	"readOnly\0"
	"configSource\0"
	"isSensitive\0"
	"CreatableTopicResult\0"
	"topicConfigErrorCode\0"
	"DeleteTopicState\0"
	"DeletableTopicResult\0"
	"DeleteRecordsPartition\0"
	"DeleteRecordsTopic\0"
	"DeleteRecordsPartitionResult\0"
	"lowWatermark\0"
	"DeleteRecordsTopicResult\0"
	"OffsetForLeaderPartition\0"
	"OffsetForLeaderTopic\0"
	"OffsetForLeaderTopicResult\0"
	"AddPartitionsToTxnTopic\0"
	"AddPartitionsToTxnTransaction\0"
	"verifyOnly\0"
	"AddPartitionsToTxnPartitionResult\0"
	"partitionErrorCode\0"
	"AddPartitionsToTxnTopicResult\0"
	"resultsByPartition\0"
	"AddPartitionsToTxnResult\0"
	"topicResults\0"
	"WritableTxnMarkerTopic\0"
	"WritableTxnMarker\0"
	"transactionResult\0"
	"coordinatorEpoch\0"
	"transactionVersion\0"
	"WritableTxnMarkerPartitionResult\0"
	"WritableTxnMarkerTopicResult\0"
	"WritableTxnMarkerResult\0"
	"TxnOffsetCommitRequestPartition\0"
	"TxnOffsetCommitRequestTopic\0"
	"TxnOffsetCommitResponsePartition\0"
	"TxnOffsetCommitResponseTopic\0"
	"AclDescription\0"
	"principal\0"
	"DescribeAclsResource\0"
	"resourceType\0"
	"resourceName\0"
	"patternType\0"
	"acls\0"
	"AclCreation\0"
	"resourcePatternType\0"
	"AclCreationResult\0"
	"DeleteAclsFilter\0"
	"DeleteAclsMatchingAcl\0"
	"DeleteAclsFilterResult\0"
	"matchingAcls\0"
	"DescribeConfigsResource\0"
	"configurationKeys\0"
	"DescribeConfigsSynonym\0"
	"source\0"
	"DescribeConfigsResourceResult\0"
	"synonyms\0"
	"configType\0"
	"documentation\0"
	"DescribeConfigsResult\0"
	"AlterableConfig\0"
	"AlterConfigsResource\0"
	"AlterConfigsResourceResponse\0"
	"AlterReplicaLogDirTopic\0"
	"AlterReplicaLogDir\0"
	"path\0"
	"AlterReplicaLogDirPartitionResult\0"
	"AlterReplicaLogDirTopicResult\0"
	"topicName\0"
	"DescribableLogDirTopic\0"
	"DescribeLogDirsPartition\0"
	"partitionSize\0"
	"offsetLag\0"
	"isFutureKey\0"
	"DescribeLogDirsTopic\0"
	"DescribeLogDirsResult\0"
	"logDir\0"
	"totalBytes\0"
	"usableBytes\0"
	"isCordoned\0"
	"CreatePartitionsAssignment\0"
	"CreatePartitionsTopic\0"
	"count\0"
	"CreatePartitionsTopicResult\0"
	"CreatableRenewers\0"
	"DescribeDelegationTokenOwner\0"
	"DescribedDelegationTokenRenewer\0"
	"DescribedDelegationToken\0"
	"issueTimestamp\0"
	"expiryTimestamp\0"
	"maxTimestamp\0"
	"DeletableGroupResult\0"
	"TopicPartitions\0"
	"PartitionResult\0"
	"partitionId\0"
	"ReplicaElectionResult\0"
	"partitionResult\0"
	"configOperation\0"
	"ReassignablePartition\0"
	"replicas\0"
	"ReassignableTopic\0"
	"ReassignablePartitionResponse\0"
	"ReassignableTopicResponse\0"
	"ListPartitionReassignmentsTopics\0"
	"OngoingPartitionReassignment\0"
	"addingReplicas\0"
	"removingReplicas\0"
	"OngoingTopicReassignment\0"
	"OffsetDeleteRequestPartition\0"
	"OffsetDeleteRequestTopic\0"
	"OffsetDeleteResponsePartition\0"
	"OffsetDeleteResponseTopic\0"
	"ComponentData\0"
	"entityType\0"
	"matchType\0"
	"match\0"
	"EntityData\0"
	"entityName\0"
	"ValueData\0"
	"EntryData\0"
	"entity\0"
	"values\0"
	"OpData\0"
	"remove\0"
	"ops\0"
	"UserName\0"
	"CredentialInfo\0"
	"iterations\0"
	"DescribeUserScramCredentialsResult\0"
	"user\0"
	"credentialInfos\0"
	"ScramCredentialDeletion\0"
	"ScramCredentialUpsertion\0"
	"salt\0"
	"saltedPassword\0"
	"AlterUserScramCredentialsResult\0"
	"TopicData\0"
	"logEndOffset\0"
	"lastFetchTimestamp\0"
	"lastCaughtUpTimestamp\0"
	"currentVoters\0"
	"observers\0"
	"Listener\0"
	"Node\0"
	"FeatureUpdateKey\0"
	"feature\0"
	"allowDowngrade\0"
	"upgradeType\0"
	"UpdatableFeatureResult\0"
	"DescribeClusterBroker\0"
	"isFenced\0"
	"TopicRequest\0"
	"ProducerState\0"
	"lastSequence\0"
	"lastTimestamp\0"
	"currentTxnStartOffset\0"
	"PartitionResponse\0"
	"activeProducers\0"
	"TopicResponse\0"
	"TransactionState\0"
	"transactionState\0"
	"transactionStartTimeMs\0"
	"Assignment\0"
	"Member\0"
	"targetAssignment\0"
	"memberType\0"
	"groupEpoch\0"
	"assignmentEpoch\0"
	"assignorName\0"
	"ConfigResource\0"
	"Cursor\0"
	"DescribeTopicPartitionsResponsePartition\0"
	"eligibleLeaderReplicas\0"
	"lastKnownElr\0"
	"DescribeTopicPartitionsResponseTopic\0"
	"AcknowledgementBatch\0"
	"lastOffset\0"
	"acknowledgeTypes\0"
	"acknowledgementBatches\0"
	"AcquiredRecords\0"
	"deliveryCount\0"
	"acknowledgeErrorCode\0"
	"acknowledgeErrorMessage\0"
	"acquiredRecords\0"
	"ShareFetchableTopicResponse\0"
	"AcknowledgePartition\0"
	"AcknowledgeTopic\0"
	"ShareAcknowledgeTopicResponse\0"
	"stateEpoch\0"
	"startOffset\0"
	"InitializeStateData\0"
	"InitializeStateResult\0"
	"ReadStateData\0"
	"StateBatch\0"
	"deliveryState\0"
	"stateBatches\0"
	"ReadStateResult\0"
	"deliveryCompleteCount\0"
	"WriteStateData\0"
	"WriteStateResult\0"
	"DeleteStateData\0"
	"DeleteStateResult\0"
	"ReadStateSummaryData\0"
	"ReadStateSummaryResult\0"
	"KeyValue\0"
	"TopicInfo\0"
	"topicConfigs\0"
	"CopartitionGroup\0"
	"sourceTopics\0"
	"sourceTopicRegex\0"
	"repartitionSourceTopics\0"
	"Subtopology\0"
	"subtopologyId\0"
	"stateChangelogTopics\0"
	"repartitionSinkTopics\0"
	"copartitionGroups\0"
	"Topology\0"
	"subtopologies\0"
	"TaskIds\0"
	"Endpoint\0"
	"TaskOffset\0"
	"Status\0"
	"statusCode\0"
	"statusDetail\0"
	"EndpointToPartitions\0"
	"activePartitions\0"
	"standbyPartitions\0"
	"topologyEpoch\0"
	"isClassic\0"
	"TopologyDescriptionNode\0"
	"nodeType\0"
	"sinkTopic\0"
	"stores\0"
	"successors\0"
	"TopologyDescriptionSubtopology\0"
	"TopologyDescriptionGlobalStore\0"
	"processor\0"
	"TopologyDescription\0"
	"globalStores\0"
	"topologyDescription\0"
	"topologyDescriptionStatus\0"
	"DescribeShareGroupOffsetsRequestTopic\0"
	"DescribeShareGroupOffsetsRequestGroup\0"
	"DescribeShareGroupOffsetsResponsePartition\0"
	"lag\0"
	"DescribeShareGroupOffsetsResponseTopic\0"
	"DescribeShareGroupOffsetsResponseGroup\0"
	"AlterShareGroupOffsetsRequestPartition\0"
	"AlterShareGroupOffsetsRequestTopic\0"
	"AlterShareGroupOffsetsResponsePartition\0"
	"AlterShareGroupOffsetsResponseTopic\0"
	"DeleteShareGroupOffsetsRequestTopic\0"
	"DeleteShareGroupOffsetsResponseTopic\0"
	"Produce\0"
	"Fetch\0"
	"ListOffsets\0"
	"Metadata\0"
	"OffsetCommit\0"
	"OffsetFetch\0"
	"FindCoordinator\0"
	"JoinGroup\0"
	"Heartbeat\0"
	"LeaveGroup\0"
	"SyncGroup\0"
	"DescribeGroups\0"
	"ListGroups\0"
	"SaslHandshake\0"
	"ApiVersions\0"
	"CreateTopics\0"
	"DeleteTopics\0"
	"DeleteRecords\0"
	"InitProducerId\0"
	"OffsetForLeaderEpoch\0"
	"AddPartitionsToTxn\0"
	"AddOffsetsToTxn\0"
	"EndTxn\0"
	"WriteTxnMarkers\0"
	"TxnOffsetCommit\0"
	"DescribeAcls\0"
	"CreateAcls\0"
	"DeleteAcls\0"
	"DescribeConfigs\0"
	"AlterConfigs\0"
	"AlterReplicaLogDirs\0"
	"DescribeLogDirs\0"
	"SaslAuthenticate\0"
	"CreatePartitions\0"
	"CreateDelegationToken\0"
	"RenewDelegationToken\0"
	"ExpireDelegationToken\0"
	"DescribeDelegationToken\0"
	"DeleteGroups\0"
	"ElectLeaders\0"
	"IncrementalAlterConfigs\0"
	"AlterPartitionReassignments\0"
	"ListPartitionReassignments\0"
	"OffsetDelete\0"
	"DescribeClientQuotas\0"
	"AlterClientQuotas\0"
	"DescribeUserScramCredentials\0"
	"AlterUserScramCredentials\0"
	"DescribeQuorum\0"
	"UpdateFeatures\0"
	"DescribeCluster\0"
	"DescribeProducers\0"
	"UnregisterBroker\0"
	"DescribeTransactions\0"
	"ListTransactions\0"
	"ConsumerGroupHeartbeat\0"
	"ConsumerGroupDescribe\0"
	"ListConfigResources\0"
	"DescribeTopicPartitions\0"
	"ShareGroupHeartbeat\0"
	"ShareGroupDescribe\0"
	"ShareFetch\0"
	"ShareAcknowledge\0"
	"AddRaftVoter\0"
	"RemoveRaftVoter\0"
	"InitializeShareGroupState\0"
	"ReadShareGroupState\0"
	"WriteShareGroupState\0"
	"DeleteShareGroupState\0"
	"ReadShareGroupStateSummary\0"
	"StreamsGroupHeartbeat\0"
	"StreamsGroupDescribe\0"
	"DescribeShareGroupOffsets\0"
	"AlterShareGroupOffsets\0"
	"DeleteShareGroupOffsets\0"
;
