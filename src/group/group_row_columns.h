/*
 * group_row_columns.h
 *	  The columns of topic_group_offsets; for the files group_row*.c alone.
 */
#ifndef GROUP_ROW_COLUMNS_H
#define GROUP_ROW_COLUMNS_H

#define Anum_offsets_group_id			1
#define Anum_offsets_topic				2
#define Anum_offsets_partition			3
#define Anum_offsets_committed_offset	4
#define Anum_offsets_metadata			5
#define Anum_offsets_commit_timestamp	6
#define Anum_offsets_lost_records		7
#define Anum_offsets_lost_timestamp		8
#define Anum_offsets_member_id			9
#define Anum_offsets_lease_until		10
#define Anum_offsets_generation			11
#define Anum_offsets_position			12
#define Anum_offsets_position_timestamp	13
#define Anum_offsets_owner				14
#define Anum_offsets_leader_epoch		15
#define Natts_offsets					15

#endif							/* GROUP_ROW_COLUMNS_H */
