//! What the reader takes, line by line, and that it never takes anything else.

use igctl::exposition::{self, End, Exposition, Kind, Reason, Value};
use igctl::histogram::Bucket;
use proptest::prelude::*;

/// Every family; `x_bucket` and the like are parts of one, not families.
fn all(text: &str) -> Exposition<'_> {
    let part = |name: &str| {
        ["_bucket", "_sum", "_count"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
    };
    exposition::read(text.as_bytes(), |name| !part(name))
}

/// Reads one family `a`: its label sets and numbers, as they would be written in a table.
fn samples_of_a(text: &str) -> String {
    let read = all(text);
    let samples = read
        .family("a")
        .into_iter()
        .flat_map(|f| &f.series)
        .map(|(labels, value)| {
            let labels: Vec<String> = labels.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
            match value {
                Value::Number(n) => format!("{{{}}} {n}", labels.join(", ")),
                Value::Histogram(h) => format!("{{{}}} {:?}", labels.join(", "), h.buckets.len()),
            }
        });
    let mut lines: Vec<String> = samples.collect();
    if read.problems.unreadable > 0 {
        lines.push(format!("{} unreadable", read.problems.unreadable));
    }
    lines.join("; ")
}

#[test]
fn every_way_to_write_a_sample() {
    let table: &[(&str, &str)] = &[
        ("a 1\n", "{} 1"),
        ("a{} 3\n", "{} 3"),
        ("a {m=\"x\"} 3\n", "{m=\"x\"} 3"),
        ("a{m=\"x\"}3\n", "{m=\"x\"} 3"),
        ("a{ m = \"x\" , } 3\n", "{m=\"x\"} 3"),
        ("a{m=\"x\", t=\"y\"} 3\n", "{m=\"x\", t=\"y\"} 3"),
        ("a{t=\"y\",m=\"x\"} 3\n", "{m=\"x\", t=\"y\"} 3"),
        ("a\t{m=\"x\"}\t3\n", "{m=\"x\"} 3"),
        ("  a 3\n", "{} 3"),
        ("a 3\r\n", "{} 3"),
        ("a 3", "{} 3"),
        ("a 3 1700000000000\n", "{} 3"),
        ("a 3 1700000000.123\n", "{} 3"),
        ("a 3 # {trace_id=\"x\"} 0.5\n", "{} 3"),
        ("a 3 1.5 # {} 0.5 1.5\n", "{} 3"),
        ("{\"a\"} 3\n", "{} 3"),
        ("{\"a\", m=\"x\"} 3\n", "{m=\"x\"} 3"),
        ("a{\"m.n\"=\"x\"} 3\n", "{m.n=\"x\"} 3"),
        // label values
        (r#"a{m="x\"y\\z\nw"} 3"#, r#"{m="x\"y\\z\nw"} 3"#),
        (r#"a{m="D:\models"} 3"#, r#"{m="D:\\models"} 3"#),
        (r#"a{m="x}y"} 3"#, r#"{m="x}y"} 3"#),
        (r#"a{m="x} 99 y"} 3"#, r#"{m="x} 99 y"} 3"#),
        (
            r#"a{m="x,t=evil",t="good"} 3"#,
            r#"{m="x,t=evil", t="good"} 3"#,
        ),
        (r#"a{m="a=b"} 3"#, r#"{m="a=b"} 3"#),
        (r##"a{m="# {x} 1"} 3"##, r##"{m="# {x} 1"} 3"##),
        (r#"a{m=""} 3"#, r#"{m=""} 3"#),
        ("a{m=\"模型-7b\"} 3\n", "{m=\"模型-7b\"} 3"),
        // values
        ("a +Inf\n", "{} inf"),
        ("a -Inf\n", "{} -inf"),
        ("a Inf\n", "{} inf"),
        ("a NaN\n", "{} NaN"),
        ("a nan\n", "{} NaN"),
        ("a 1e3\n", "{} 1000"),
        ("a -0.5\n", "{} -0.5"),
        ("a 9007199254740993\n", "{} 9007199254740992"),
        // refused
        ("a 0x10\n", "1 unreadable"),
        ("a 1_000\n", "1 unreadable"),
        ("a\n", "1 unreadable"),
        ("a 1 2 3 4\n", "1 unreadable"),
        ("a 1 x\n", "1 unreadable"),
        ("a{m='x'} 1\n", "1 unreadable"),
        ("a{m=x} 1\n", "1 unreadable"),
        ("a{m=\"x} 1\n", "1 unreadable"),
        ("a{m=\"x\" t=\"y\"} 1\n", "1 unreadable"),
        ("a{m=\"x\",m=\"y\"} 1\n", "1 unreadable"),
        ("a{,} 1\n", "1 unreadable"),
        ("{m=\"x\"} 1\n", "1 unreadable"),
        ("1a 3\n", "1 unreadable"),
        ("mé 3\n", "1 unreadable"),
    ];
    let got: Vec<(&str, String)> = table
        .iter()
        .map(|(text, _)| (*text, samples_of_a(text)))
        .collect();
    let want: Vec<(&str, String)> = table
        .iter()
        .map(|(text, want)| (*text, (*want).to_owned()))
        .collect();
    assert_eq!(got, want);
}

#[test]
fn buckets_in_any_order_and_spelling_become_one_histogram() {
    let text = "\
h_bucket{m=\"x\",le=\"+Inf\"} 3
h_count{m=\"x\"} 3
h_bucket{le=\"1.0\",m=\"x\"} 1
h_bucket{m=\"y\",le=\"1\"} 7
h_bucket{m=\"x\",le=\"2\"} 2
h_sum{m=\"x\"} 4.5
h_bucket{m=\"x\",le=\"1\"} 99
";
    let read = all(text);
    let family = read
        .family("h")
        .expect("a histogram without a TYPE line is still one");
    let Value::Histogram(x) = &family.series[0] else {
        panic!("{family:?}")
    };
    let bounds = x
        .buckets
        .iter()
        .map(|b| (b.le, b.count))
        .collect::<Vec<_>>();
    assert_eq!(
        (family.kind, bounds, x.sum, x.count, read.problems.doubtful),
        (
            Kind::Histogram,
            vec![(1.0, 1.0), (2.0, 2.0), (f64::INFINITY, 3.0)],
            Some(4.5),
            Some(3.0),
            1
        )
    );
}

#[test]
fn a_bucket_without_a_usable_bound_is_not_read() {
    let read = all(
        "h_bucket{m=\"x\"} 1\nh_bucket{m=\"x\",le=\"wide\"} 1\nh_bucket{m=\"x\",le=\"NaN\"} 1\n",
    );
    let reasons: Vec<Reason> = read.problems.first.iter().map(|p| p.reason).collect();
    assert_eq!(
        reasons,
        [Reason::NoBound, Reason::BadBound, Reason::BadBound]
    );
}

#[test]
fn of_the_same_series_twice_the_first_stands() {
    let read = all("a{m=\"x\",t=\"y\"} 1\na{t=\"y\",m=\"x\"} 2\n");
    let kept: Vec<&Value> = read.families[0].series.values().collect();
    assert_eq!(
        (kept, read.problems.first[0].reason),
        (vec![&Value::Number(1.0)], Reason::DuplicateSeries)
    );
}

#[test]
fn types_are_joined_wherever_they_stand() {
    let text = "\
# HELP a helps
a 1
# TYPE a gauge
# TYPE a gauge
# TYPE a counter
# TYPE b counter
b_total 1
c 1
# TYPE d histogram
d_total 1
";
    let read = all(text);
    let kinds: Vec<(&str, Kind)> = read
        .families
        .iter()
        .map(|f| (f.name.as_ref(), f.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("a", Kind::Gauge),
            ("b_total", Kind::Counter),
            ("c", Kind::Other),
            // Only a counter is sampled under another name than the declared one.
            ("d_total", Kind::Other),
        ]
    );
    assert_eq!(
        read.problems
            .first
            .iter()
            .map(|p| (p.line, p.reason))
            .collect::<Vec<_>>(),
        [(5, Reason::OtherType)]
    );
}

#[test]
fn data_after_eof_is_an_error_and_is_not_read() {
    let read = all("a 1\n# EOF\nb 2\n");
    assert_eq!(
        (read.end, read.families.len(), read.problems.first[0].reason),
        (End::Eof, 1, Reason::AfterEof)
    );
}

#[test]
fn an_error_page_is_not_metrics() {
    let pages = [
        "<!DOCTYPE html>\n<html><body>\n<h1>404</h1>\n</body></html>\n",
        "404 page not found\n",
        "Unauthorized\n",
        "Authorization denied for user system:serviceaccount:llm:x\n",
        "{\"error\": \"no\"}\n",
    ];
    let taken: Vec<&&str> = pages
        .iter()
        .filter(|page| !all(page).is_not_metrics())
        .collect();
    assert!(taken.is_empty(), "{taken:?}");
}

#[test]
fn what_nobody_wants_is_skipped_and_the_rest_is_not() {
    let text = "x{m=\"a\"} 1\nx{m=\"b\"} garbage\na 1\nx{m=\"c\"} 1\na_b 2\n";
    let read = exposition::read(text.as_bytes(), |name| name == "a");
    assert_eq!(
        (read.families.len(), read.samples, read.problems.unreadable),
        (1, 5, 0)
    );
}

#[test]
fn excerpts_of_bad_lines_are_safe_to_print() {
    let read = all("a{m=\"\u{1b}[2J\u{9b}\"} x\n");
    assert_eq!(
        read.problems.first[0].excerpt,
        r#"a{m=\"\u{1b}[2J\u{9b}\"} x"#
    );
}

/// One text that a picker could have written.
fn scrape() -> impl Strategy<Value = String> {
    let value = "[a-z0-9/:. -]{0,12}";
    let series = (
        value,
        value,
        prop::collection::vec(0u32..1000, 3),
        0u32..100_000,
    );
    prop::collection::vec(series, 1..20).prop_map(|all| {
        let mut text = String::from("# TYPE c_total counter\n");
        for (model, target, _, n) in &all {
            text += &format!("c_total{{m=\"{model}\",t=\"{target}\"}} {n}\n");
        }
        text += "# TYPE h histogram\n";
        for (model, target, counts, _) in &all {
            let mut sum = 0;
            for (le, count) in ["0.5", "1", "+Inf"].iter().zip(counts) {
                sum += count;
                text += &format!("h_bucket{{m=\"{model}\",t=\"{target}\",le=\"{le}\"}} {sum}\n");
            }
            text += &format!("h_sum{{m=\"{model}\",t=\"{target}\"}} 1.5\nh_count{{m=\"{model}\",t=\"{target}\"}} {sum}\n");
        }
        text
    })
}

/// Series as (name, labels, numbers), in order.
type Flat = Vec<(String, Vec<(String, String)>, Vec<f64>)>;

fn flat(read: &Exposition<'_>) -> Flat {
    let mut flat: Flat = Vec::new();
    for family in &read.families {
        for (labels, value) in &family.series {
            let labels = labels
                .iter()
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .collect();
            let numbers = match value {
                Value::Number(n) => vec![*n],
                Value::Histogram(h) => h
                    .buckets
                    .iter()
                    .flat_map(|Bucket { le, count }| [*le, *count])
                    .collect(),
            };
            flat.push((family.name.clone().into_owned(), labels, numbers));
        }
    }
    flat.sort_by(|a, b| a.partial_cmp(b).expect("no NaN here"));
    flat
}

/// The same by prometheus-parse, an independent reader. It keeps duplicates; the first one counts.
fn flat_of_second_reader(text: &str) -> Flat {
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let scrape = prometheus_parse::Scrape::parse(lines).expect("lines of a str are readable");
    let mut flat: Flat = Vec::new();
    for sample in scrape.samples {
        let mut labels: Vec<(String, String)> = sample
            .labels
            .iter()
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        labels.sort();
        let numbers = match sample.value {
            prometheus_parse::Value::Histogram(mut buckets) => {
                buckets.sort_by(|a, b| a.less_than.total_cmp(&b.less_than));
                buckets.dedup_by(|b, a| a.less_than == b.less_than);
                buckets
                    .iter()
                    .flat_map(|b| [b.less_than, b.count])
                    .collect()
            }
            prometheus_parse::Value::Counter(n) | prometheus_parse::Value::Gauge(n) => vec![n],
            _ => continue, // _sum and _count, which it does not join
        };
        if !flat
            .iter()
            .any(|(name, have, _)| *name == sample.metric && *have == labels)
        {
            flat.push((sample.metric, labels, numbers));
        }
    }
    flat.sort_by(|a, b| a.partial_cmp(b).expect("no NaN here"));
    flat
}

proptest! {
    #[test]
    fn both_readers_agree_on_what_both_can_read(text in scrape()) {
        prop_assert_eq!(flat(&all(&text)), flat_of_second_reader(&text));
    }

    #[test]
    fn any_label_value_survives(value in "\\PC*", hostile in "[\"\\\\{},=# \n]{0,10}") {
        let value = value + &hostile;
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let text = format!("a{{m=\"{escaped}\"}} 7\n");
        let read = all(&text);
        let got = read.families.first().and_then(|f| f.series.keys().next()?.get("m")).map(str::to_owned);
        prop_assert_eq!(got, Some(value));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let read = exposition::read(&bytes, |_| true);
        prop_assert!(read.problems.unreadable <= bytes.len());
    }
}
