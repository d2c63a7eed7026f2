"""A stand-in for the aws provider on boto3: just the resource types and properties that the landing zone uses.

Whatever else it is asked for it refuses by name. It is for the sandbox and for tests; a company's stack runs on the
official plugin.
"""
