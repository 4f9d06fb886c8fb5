"""Makes msk.json with AWS's own signer, and sts.json with AWS's SDK, at a fixed time:

    python3 -m venv v && v/bin/pip install aws-msk-iam-sasl-signer-python==1.0.2 boto3==1.44.8
    v/bin/python make.py
"""

import base64
import datetime
import json
import os
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

AT = datetime.datetime(2026, 1, 31, 12, 30, 15, tzinfo=datetime.timezone.utc)
# The keys of AWS's documentation.
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//token+with/chars=="

with mock.patch("botocore.auth.get_current_datetime", lambda: AT):
    tokens = []
    for region, token in [
        ("us-east-1", None),
        ("us-east-1", TOKEN),
        ("cn-north-1", TOKEN),
        ("us-gov-west-1", None),
    ]:
        os.environ.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
        os.environ.pop("AWS_SESSION_TOKEN", None)
        if token:
            os.environ["AWS_SESSION_TOKEN"] = token
        text, expires = MSKAuthTokenProvider.generate_auth_token(region)
        url = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        tokens.append({"region": region, "token": token, "url": url, "expires": expires})
    body = (
        "Version=2011-06-15&Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fmsk"
        "&RoleSessionName=load"
    )
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    url = "https://sts.eu-west-1.amazonaws.com/"
    signed = []
    for token in [None, TOKEN]:
        request = AWSRequest(method="POST", url=url, data=body, headers=headers)
        SigV4Auth(Credentials(KEY, SECRET, token), "sts", "eu-west-1").add_auth(request)
        signed.append({"token": token, "authorization": request.headers["Authorization"]})

for name, value in [("msk", tokens), ("sts", {"url": url, "body": body, "signed": signed})]:
    with open(f"{os.path.dirname(os.path.abspath(__file__))}/{name}.json", "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
