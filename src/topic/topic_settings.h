/*
 * topic_settings.h
 *	  The server-wide settings that are defaults of topics' options.
 */
#ifndef TOPIC_SETTINGS_H
#define TOPIC_SETTINGS_H

#include "topic/topic_types.h"
#include "utils/guc.h"

/* "not set" of settings in which -1 means "no limit" */
#define TOPIC_SETTINGS_UNSET	(-2)

/* Increases whenever one of the settings changes. */
extern uint64 pgt_topic_settings_version;

extern int	pgt_log_segment_bytes;
extern double pgt_log_roll_ms;	/* -1: not set */
extern int	pgt_log_roll_hours;
extern double pgt_log_retention_ms; /* or TOPIC_SETTINGS_UNSET */
extern int	pgt_log_retention_minutes;	/* likewise */
extern int	pgt_log_retention_hours;
extern double pgt_log_retention_bytes;
extern double pgt_log_message_timestamp_before_max_ms;	/* -1: no limit */
extern double pgt_log_message_timestamp_after_max_ms;
extern int	pgt_log_cleanup_policy;
extern int	pgt_compression_type;

/* The words of the settings that are enums; the first one of a value is its name. */
extern const struct config_enum_entry pgt_topic_settings_cleanup_policies[];
extern const struct config_enum_entry pgt_topic_settings_compression_types[];

/* Fill in what the settings say of a topic without options. */
extern void pgt_topic_settings_apply(Topic *topic);

/* Define the settings; called once per process. */
extern void pgt_topic_settings_init(void);

#endif							/* TOPIC_SETTINGS_H */
