/*
 * heisen_events.h - tell heisen what a test does, in its own words.
 *
 *     heisen_mark("created", "worker", id);any number of fields, each a const char *
 *
 * One call is one line, appended with one write(2) to the file that the environment's HEISEN_EVENTS names.
 * Without that variable, or where the file is gone or no regular file, nothing happens. From many threads and
 * processes at once no event is lost or mixed with another. After main has begun, heisen_mark is
 * async-signal-safe and keeps errno. C99 or C++11 with GCC or Clang, Linux. No library is needed.
 */
#ifndef HEISEN_EVENTS_H
#define HEISEN_EVENTS_H

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEISEN_EVENTS_LINE 4096

/* One for the whole program, whichever files include this one (weak). */
struct heisen_events_file {
	int fd; /* -1: nobody listens */
	dev_t dev;
	ino_t ino;
	rlim_t limit; /* how far the file may grow: a write beyond RLIMIT_FSIZE would raise SIGXFSZ */
};
__attribute__((weak)) struct heisen_events_file heisen_events = {-1, 0, 0, 0};

/* Opens the file before main, while nothing else runs. */
__attribute__((constructor, unused)) static void heisen_events_open(void)
{
	const char *path = getenv("HEISEN_EVENTS");
	struct rlimit size;
	struct stat st;
	int fd;

	if (heisen_events.fd >= 0 || path == NULL || path[0] != '/')
		return;
	/* O_NONBLOCK: a FIFO in its place would make open wait for a reader. */
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return;
	}
	heisen_events.dev = st.st_dev;
	heisen_events.ino = st.st_ino;
	if (getrlimit(RLIMIT_FSIZE, &size) != 0)
		size.rlim_cur = 0;
	/* Other writers may be between their look at the size and their write: leave room for 256 of them. */
	if (size.rlim_cur != RLIM_INFINITY)
		size.rlim_cur -= size.rlim_cur < 256 * HEISEN_EVENTS_LINE ? size.rlim_cur : 256 * HEISEN_EVENTS_LINE;
	heisen_events.limit = size.rlim_cur;
	heisen_events.fd = fd;
}

/* Each of these returns where the next byte goes; end leaves room for the newline. */

static inline char *heisen_events_number(char *to, unsigned long long n)
{
	char digits[20];
	int i = 0;

	do
		digits[i++] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	while (i > 0)
		*to++ = digits[--i];
	return to;
}

static inline char *heisen_events_word(char *to, const char *end, const char *word)
{
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *p = (const unsigned char *)word;

	if (*p == 0 && end - to >= 2) {
		*to++ = '%';
		*to++ = '.';
	}
	for (; *p != 0; p++) {
		if (*p > ' ' && *p != 0x7f && *p != '%' && *p != '@') {
			if (to == end)
				break;
			*to++ = (char)*p;
			continue;
		}
		if (end - to < 3)
			break;
		*to++ = '%';
		*to++ = hex[*p >> 4];
		*to++ = hex[*p & 15];
	}
	return to;
}

/* The words end with a null pointer; what does not fit into one line is cut. */
static inline void heisen_events_mark(const char *const *words)
{
	char line[HEISEN_EVENTS_LINE], *to = line;
	const char *const end = line + sizeof line - 1;
	int saved = errno;
	struct timespec now;
	struct stat st;

	if (heisen_events.fd < 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	*to++ = '@';
	to = heisen_events_number(to, (unsigned long long)now.tv_sec * 1000000000ULL + (unsigned long long)now.tv_nsec);
	*to++ = ':';
	to = heisen_events_number(to, (unsigned long long)getpid());
	*to++ = ':';
	to = heisen_events_number(to, (unsigned long long)syscall(SYS_gettid));
	for (; *words != NULL && end - to >= 4; words++) {
		*to++ = ' ';
		to = heisen_events_word(to, end, *words);
	}
	*to++ = '\n';
	/* A daemon that closed all descriptors may have another file under this number by now. */
	if (fstat(heisen_events.fd, &st) == 0 && st.st_dev == heisen_events.dev && st.st_ino == heisen_events.ino &&
	    (heisen_events.limit == RLIM_INFINITY || (rlim_t)st.st_size + (rlim_t)(to - line) <= heisen_events.limit)) {
		if (write(heisen_events.fd, line, (size_t)(to - line)) < 0) {
			/* Nobody can be told: the test goes on as if it had not been asked. */
		}
	}
	errno = saved;
}

/* The words go into an array that ends with a null pointer. */
#ifdef __cplusplus
}
template <typename... Words> inline void heisen_mark(const char *name, Words... fields)
{
	const char *const words[] = {name, fields..., nullptr};
	heisen_events_mark(words);
}
#else
#define heisen_mark(...) heisen_events_mark((const char *const[]){__VA_ARGS__, NULL})
#endif

#endif
