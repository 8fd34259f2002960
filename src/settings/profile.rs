//! The built-in profiles, and the environments that exist without any file.

use trading_core::report::Exit;
use trading_core::report::nearest;

use super::schema::ProfileFile;
use crate::error::Fault;

/// The profiles' names and texts.
const PROFILES: [(&str, &str); 3] = [
    ("local", include_str!("profiles/local.toml")),
    ("tradai", include_str!("profiles/tradai.toml")),
    ("ops-pipeline", include_str!("profiles/ops-pipeline.toml")),
];

/// A profile by its name.
pub(super) fn named(name: &str) -> Result<ProfileFile, Fault> {
    let words = PROFILES.map(|(name, _)| name);
    let Some((_, text)) = PROFILES.iter().find(|(it, _)| *it == name) else {
        let meant = nearest(name, words).map(|it| format!("; did you mean `{it}`?"));
        return Err(Fault::new(
            Exit::Settings,
            "profile.unknown",
            format!("there is no profile `{name}`{}", meant.unwrap_or_default()),
        )
        .hint(format!("profiles: {}", words.join(", "))));
    };
    toml::from_str(text).map_err(|error| {
        Fault::new(Exit::Bug, "profile.invalid", format!("built-in profile {name}: {error}"))
    })
}

/// The environments that exist without any file, each with its profile.
pub(super) fn environments() -> Result<Vec<(String, &'static str)>, Fault> {
    let mut all = Vec::new();
    for (profile, _) in PROFILES {
        all.extend(named(profile)?.environments.into_iter().map(|name| (name, profile)));
    }
    Ok(all)
}
