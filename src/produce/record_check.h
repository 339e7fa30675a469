/*
 * record_check.h
 *	  What a topic's options refuse of a record.
 */
#ifndef RECORD_CHECK_H
#define RECORD_CHECK_H

#include "format/record_batch.h"
#include "log/partition_log.h"

/*
 * ERROR where a record of so many bytes is too large even alone in a batch.  Where the topic
 * names no codec the limit is max.message.bytes.  With a codec the compressed size is checked
 * once it is known; here the limit is "most" bytes, as much as a reader can hold.
 */
extern void pgt_record_check_size(const TopicPartition *key, const LogConfig *config, Size size,
								  int32 most);

/*
 * ERROR where a record that is new, not restored from a dump, has no key although its topic is
 * compacted, or a timestamp that the topic does not allow.
 */
extern void pgt_record_check_new(const TopicPartition *key, const LogConfig *config,
								 const Record *record);

/*
 * ERROR where the topic's partitioner is enforced and places the record's key elsewhere:
 * queries look for a key only where it must be.
 */
extern void pgt_record_check_placement(const TopicPartition *key, const LogConfig *config,
									   const Record *record);

#endif							/* RECORD_CHECK_H */
