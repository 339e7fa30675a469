/*
 * delete_share_offsets.h
 *	  The API DeleteShareGroupOffsets.
 */
#ifndef DELETE_SHARE_OFFSETS_H
#define DELETE_SHARE_OFFSETS_H

#include "broker/helpers/helper.h"

extern const BrokerApi pgt_delete_share_offsets_api;
extern const HelperApi pgt_delete_share_offsets_helper;

#endif							/* DELETE_SHARE_OFFSETS_H */
