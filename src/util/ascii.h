/*
 * ascii.h
 *	  Is text plain ASCII?  Then it is valid in all encodings of a server.
 */
#ifndef ASCII_H
#define ASCII_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * Has each byte a value from 1 to 127?  Where the processor cannot compare sixteen bytes at
 * once, eight are looked at together.
 */
static inline bool
pgt_ascii_is_all(const char *bytes, int32 length)
{
	const char *end = bytes + length;

#ifdef __SSE2__
	const __m128i zero = _mm_setzero_si128();

	/* signed, a byte is above 0 if and only if it is from 1 to 127 */
	for (; end - bytes >= 16; bytes += 16)
	{
		__m128i		block = _mm_loadu_si128((const __m128i *) bytes);

		if (_mm_movemask_epi8(_mm_cmpgt_epi8(block, zero)) != 0xFFFF)
			return false;
	}
#endif
	for (; end - bytes >= (int) sizeof(uint64); bytes += sizeof(uint64))
	{
		uint64		block;

		/* a byte from 1 to 127 gets its top bit by adding 127, and no carry; 0 does not */
		memcpy(&block, bytes, sizeof(block));
		if ((block & UINT64CONST(0x8080808080808080)) != 0 ||
			((block + UINT64CONST(0x7F7F7F7F7F7F7F7F)) & UINT64CONST(0x8080808080808080)) !=
			UINT64CONST(0x8080808080808080))
			return false;
	}
	for (; bytes < end; bytes++)
		if ((unsigned char) (*bytes - 1) >= 0x7F)
			return false;
	return true;
}

#endif							/* ASCII_H */
