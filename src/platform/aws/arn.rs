//! Addresses of AWS, taken apart.

/// What stands behind the last `/` of an ARN or a path.
pub(super) fn last(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, last)| last)
}

/// The family of `arn:…:task-definition/family:revision`, `family:revision` or `family`.
pub(super) fn family(definition: &str) -> &str {
    let named = last(definition);
    named.split_once(':').map_or(named, |(family, _)| family)
}

/// Which of AWS's separate worlds a region belongs to.
pub(super) fn partition(region: &str) -> &'static str {
    const WORLDS: [(&str, &str); 5] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-iso-", "aws-iso"),
        ("eusc-", "aws-eusc"),
    ];
    WORLDS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, world)| world)
}
