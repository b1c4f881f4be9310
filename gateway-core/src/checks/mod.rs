//! What must hold whatever strangers send. The fuzz targets hand these checks
//! any bytes (`fuzz/README.md`), the tests here those that are kept.

mod authority;
mod messages;
mod request_body;
mod response;

pub use authority::check as authority;
pub use messages::check as messages;
pub use request_body::check as request_body;
pub use response::check as response;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Hands every kept input of a target to its check.
    fn replay(target: &str, check: impl Fn(&[u8])) {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
        let seeds: Vec<_> = fs::read_dir(seeds.join(target))
            .expect("a folder of seeds")
            .map(|entry| fs::read(entry.expect("an entry").path()).expect("a readable seed"))
            .collect();
        assert!(!seeds.is_empty(), "no seeds for {target}");
        for seed in seeds {
            check(&seed);
        }
    }

    #[test]
    fn authority() {
        replay("authority", super::authority);
    }

    #[test]
    fn request_body() {
        replay("request_body", super::request_body);
    }

    #[test]
    fn response() {
        replay("response", super::response);
    }

    #[test]
    fn messages() {
        replay("messages", super::messages);
    }
}
