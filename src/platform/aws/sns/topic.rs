//! A topic by its name or by its address.

use crate::platform::aws::arn::partition;

/// A topic as the settings name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// In the environment's own region and account.
    Named(String),
    /// Wherever its address says.
    At(Address),
}

/// The address of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) arn: String,
    pub(super) region: String,
}

impl Topic {
    /// Reads the setting. `Err`: what it should have been.
    pub(super) fn of(setting: &str) -> Result<Self, String> {
        if !setting.starts_with("arn:") {
            let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
            return if !setting.is_empty() && setting.chars().all(fits) {
                Ok(Self::Named(setting.to_owned()))
            } else {
                Err("the name of a topic, or its ARN".to_owned())
            };
        }
        let parts: Vec<&str> = setting.split(':').collect();
        match parts.as_slice() {
            [_, partition, "sns", region, account, name]
                if [partition, region, account, name].iter().all(|it| !it.is_empty()) =>
            {
                Ok(Self::At(Address { arn: setting.to_owned(), region: (*region).to_owned() }))
            }
            _ => Err("a topic's ARN: arn:aws:sns:REGION:ACCOUNT:NAME".to_owned()),
        }
    }
}

/// The address of a topic of this name.
pub(super) fn address(name: &str, region: &str, account: &str) -> Address {
    let arn = format!("arn:{}:sns:{region}:{account}:{name}", partition(region));
    Address { arn, region: region.to_owned() }
}

impl Address {
    /// Delivers in order and once; wants to be told what is the same.
    pub(super) fn is_fifo(&self) -> bool {
        self.arn.ends_with(".fifo")
    }
}

#[cfg(test)]
mod tests {
    use super::{Topic, address};

    #[test]
    fn a_name_lies_in_our_account_and_an_address_where_it_says() {
        assert_eq!(Topic::of("alerts-dev"), Ok(Topic::Named("alerts-dev".to_owned())));
        let elsewhere = address("alerts", "us-east-1", "210987654321");
        assert_eq!(elsewhere.arn, "arn:aws:sns:us-east-1:210987654321:alerts");
        assert_eq!(Topic::of(&elsewhere.arn), Ok(Topic::At(elsewhere)));
        for odd in ["", "a b", "arn:aws:sqs:r:1:q", "arn:aws:sns:r:1", "arn:aws:sns::1:t"] {
            assert!(Topic::of(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn regions_of_other_worlds_have_addresses_of_theirs() {
        for (region, world) in [
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-central-1", "aws"),
        ] {
            let arn = address("t.fifo", region, "1").arn;
            assert_eq!(arn, format!("arn:{world}:sns:{region}:1:t.fifo"));
        }
        assert!(address("t.fifo", "eu-central-1", "1").is_fifo());
    }
}
