# heisen_events.sh - tell heisen what a test does, in its own words. For any POSIX shell:
#
#     . heisen_events.sh
#     heisen_mark created worker 7
#
# One call is one line, appended with one write(2) to the file that HEISEN_EVENTS names. It starts a process
# only to escape a blank, a control character, '%' or '@'. Where nobody listens nothing happens, and the status
# is 0 also under set -eu. A shell has no cheap clock: such events have an order and no time of their own. Fields
# that would make a line longer than 1000 characters are left out.

# heisen_mark_word_ TEXT sets heisen_word_ to the text as it stands in a line.
heisen_mark_word_() {
	heisen_word_=$1
	case $1 in
	'') heisen_word_=%. && return 0 ;;
	*[![:graph:]]* | *[%@]*) ;;
	*) return 0 ;;
	esac
	heisen_word_=
	heisen_rest_=$1
	while :; do
		heisen_plain_=${heisen_rest_%%[![:graph:]]*}
		heisen_plain_=${heisen_plain_%%[%@]*}
		heisen_word_=$heisen_word_$heisen_plain_
		heisen_rest_=${heisen_rest_#"$heisen_plain_"}
		[ -n "$heisen_rest_" ] || return 0
		heisen_char_=${heisen_rest_%"${heisen_rest_#?}"}
		heisen_rest_=${heisen_rest_#?}
		case $heisen_char_ in
		[[:cntrl:]] | ' ' | % | @) heisen_char_=$(printf '%%%02X' "'$heisen_char_") ;;
		esac
		heisen_word_=$heisen_word_$heisen_char_
	done
}

heisen_mark() {
	[ -n "${HEISEN_EVENTS:-}" ] && [ -f "$HEISEN_EVENTS" ] && [ -w "$HEISEN_EVENTS" ] || return 0
	# /proc/self is the shell itself, also in a subshell, where $$ is not. With set -f it is not known.
	for heisen_pid_ in /proc/self/task/*; do :; done
	heisen_pid_=${heisen_pid_##*/}
	case $heisen_pid_ in *[!0-9]*) heisen_pid_= ;; esac
	heisen_line_="@:$heisen_pid_:$heisen_pid_"
	for heisen_arg_; do
		heisen_mark_word_ "$heisen_arg_"
		[ $((${#heisen_line_} + ${#heisen_word_})) -lt 999 ] || break
		heisen_line_="$heisen_line_ $heisen_word_"
	done
	{ printf '%s\n' "$heisen_line_" >>"$HEISEN_EVENTS"; } 2>/dev/null || :
}
