/*
 * alter_share_offsets.h
 *	  The API AlterShareGroupOffsets.
 */
#ifndef ALTER_SHARE_OFFSETS_H
#define ALTER_SHARE_OFFSETS_H

#include "broker/helpers/helper.h"

extern const BrokerApi pgt_alter_share_offsets_api;
extern const HelperApi pgt_alter_share_offsets_helper;

#endif							/* ALTER_SHARE_OFFSETS_H */
