/* A second file that includes the header: both write through one descriptor. */
#include "heisen_events.h"

void mark_from_another_file(const char *process, const char *thread, const char *i)
{
	heisen_mark("mark", process, thread, i);
}
