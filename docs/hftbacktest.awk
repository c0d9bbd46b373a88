# Makes of a raw record what hftbacktest's binancefutures.convert reads of one symbol: docs/raw.md.
#
#     gzip -dc ASTER_data/raw.*T??.jsonl.gz | awk -v symbol=BTCUSDT -f docs/hftbacktest.awk | gzip > BTCUSDT.gz

BEGIN { FS = "\""; stream = "^" tolower(symbol) "@(trade|bookTicker|depth(@[0-9]+ms)?)$" }

# Frames of the streams that it knows: no partial books, which it would take for changes. Where connections carried the
# same, each event once: ids rise within a stream. A fill that says no origin counts as one of the book.
$2 == "stream" && $4 ~ stream && match($0, /"[tu]":[0-9]+/) {
    id = substr($0, RSTART + 4, RLENGTH - 4) + 0
    if (id <= last[$4]) next
    last[$4] = id
    if ($4 ~ /@trade$/ && !index($0, "\"X\":")) sub(/"data":\{/, "&\"X\":\"MARKET\",")
    print
}

# Snapshots of the full book, as they came over REST.
$4 == "answer" && index($0, "\"kind\":\"depth\",\"symbol\":\"" symbol "\"") && sub(/\{"aster".*"value":/, "") {
    sub(/\}$/, "")
    print
}
