/*
 * clock_shift.c
 *	  A wall clock that a test can set: for LD_PRELOAD.
 *
 * The file named by CLOCK_SHIFT_FILE holds 8 bytes, a number of microseconds in
 * the machine's byte order, by which this process and all that it starts see the
 * wall clock shifted.  It is mapped, so that a change shows at once.  The monotonic
 * clock is left alone, as it is where an administrator sets the time.
 *
 * Built by test/t/065_clock_set.pl.  Without the variable nothing is shifted.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift_us = NULL;

__attribute__((constructor))
static void
map_shift(void)
{
	const char *path = getenv("CLOCK_SHIFT_FILE");
	int			fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	void	   *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		shift_us = map;
}

/* Nanoseconds since 1970, shifted. */
static int64_t
shifted_ns(void)
{
	struct timespec now;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec + (shift_us == NULL ? 0 : *shift_us * 1000);
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int64_t		ns;

	if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
		return (int) syscall(SYS_clock_gettime, clock, now);
	ns = shifted_ns();
	now->tv_sec = ns / 1000000000;
	now->tv_nsec = ns % 1000000000;
	return 0;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	int64_t		ns = shifted_ns();

	(void) zone;
	now->tv_sec = ns / 1000000000;
	now->tv_usec = ns % 1000000000 / 1000;
	return 0;
}

time_t
time(time_t *result)
{
	time_t		now = shifted_ns() / 1000000000;

	if (result != NULL)
		*result = now;
	return now;
}
