# A script with marks: storm PROCESS, hard, time N.
set -eu
. shell/heisen_events.sh

case $1 in
storm)
	i=0
	while [ $i -lt 25 ]; do
		heisen_mark mark "$2" 0 $i
		i=$((i + 1))
	done
	;;
hard)
	heisen_mark hard "a b" "" "100%" "%41"
	heisen_mark hard "x
y	$(printf '\001\177')" "@1:2:3 fake" "größe 日本"
	heisen_mark hard "'\"\\\$(true)\`*"
	heisen_mark hard
	long=xxxxxxxxxx
	long=$long$long$long$long$long$long$long$long$long$long
	heisen_mark long "$long$long$long$long$long$long$long$long$long$long$long$long" never
	;;
time)
	i=0
	while [ $i -lt "$2" ]; do
		heisen_mark lock.acquired worker-7 42
		i=$((i + 1))
	done
	;;
esac
